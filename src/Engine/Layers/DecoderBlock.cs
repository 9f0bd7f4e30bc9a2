using MASQuant.Engine.Tensors;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Layers;

/// <summary>One decoder block, composed of its norms and its four input groups. Immutable: a <c>with</c> expression swaps or wraps a group, and threads share a block, each with its own workspace and cache.</summary>
/// <param name="Config">The decoder's extents.</param>
/// <param name="Norms">The gains of both norms.</param>
/// <param name="Qkv"><see cref="InputGroup.Qkv"/>.</param>
/// <param name="O"><see cref="InputGroup.O"/>.</param>
/// <param name="GateUp"><see cref="InputGroup.GateUp"/>.</param>
/// <param name="Down"><see cref="InputGroup.Down"/>.</param>
public sealed record DecoderBlock(TextConfig Config, BlockNorms Norms, ILinearGroup Qkv, ILinearGroup O, ILinearGroup GateUp, ILinearGroup Down)
{
    /// <summary>The layers of an input group.</summary>
    public ILinearGroup this[InputGroup group] => group switch
    {
        InputGroup.Qkv => Qkv,
        InputGroup.O => O,
        InputGroup.GateUp => GateUp,
        _ => Down,
    };

    /// <summary>The same block with other layers in one input group.</summary>
    public DecoderBlock With(InputGroup group, ILinearGroup layers) => group switch
    {
        InputGroup.Qkv => this with { Qkv = layers },
        InputGroup.O => this with { O = layers },
        InputGroup.GateUp => this with { GateUp = layers },
        _ => this with { Down = layers },
    };

    /// <summary>Runs the block on T tokens.</summary>
    /// <param name="hidden">The residual stream, [T, H], updated in place.</param>
    /// <param name="modalities">T entries.</param>
    /// <param name="rotary">Prepared for the positions of the T tokens.</param>
    /// <param name="workspace">Scratch memory.</param>
    /// <param name="cache">The tokens before these, to which these are added; null when there are none and none will follow.</param>
    public void Forward(Matrix hidden, ModalityMap modalities, RotaryTable rotary, DecoderWorkspace workspace, KvCacheLayer? cache = null)
    {
        if (cache is null)
        {
            cache = workspace.Uncached;
            cache.Truncate(0);
        }

        Forward(hidden, modalities, rotary, workspace, new ReadOnlySpan<KvCacheLayer>(in cache));
    }

    /// <summary>Runs the block on T tokens of one sequence, or on one token of each of T sequences.</summary>
    public void Forward(Matrix hidden, ModalityMap modalities, RotaryTable rotary, DecoderWorkspace workspace, ReadOnlySpan<KvCacheLayer> caches)
    {
        Attend(hidden, modalities, rotary, workspace, caches);
        FeedForward(hidden, modalities, workspace);
    }

    private void Attend(Matrix hidden, ModalityMap modalities, RotaryTable rotary, DecoderWorkspace workspace, ReadOnlySpan<KvCacheLayer> caches)
    {
        var tokens = hidden.Rows;
        var (normed, query, key, value) = (workspace.Normed(tokens), workspace.Query(tokens), workspace.Key(tokens), workspace.Value(tokens));
        var (attended, projected) = (workspace.Attended(tokens), workspace.Projected(tokens));

        Normalize(hidden, Norms.Input, Config.RmsNormEpsilon, normed);
        Qkv.Forward(normed, modalities, [query, key, value]);
        rotary.Rotate(query);
        rotary.Rotate(key);
        for (var sequence = 0; sequence < caches.Length; sequence++)
        {
            caches[sequence].Append(key, value, sequence, tokens / caches.Length);
        }

        workspace.Attention.Apply(query, caches, attended);
        O.Forward(attended, modalities, [projected]);
        Residual.Add(hidden, projected);
    }

    private void FeedForward(Matrix hidden, ModalityMap modalities, DecoderWorkspace workspace)
    {
        var tokens = hidden.Rows;
        var (normed, gate, up, projected) = (workspace.Normed(tokens), workspace.Gate(tokens), workspace.Up(tokens), workspace.Projected(tokens));

        Normalize(hidden, Norms.PostAttention, Config.RmsNormEpsilon, normed);
        GateUp.Forward(normed, modalities, [gate, up]);
        Gate(gate, up);
        Down.Forward(gate, modalities, [projected]);
        Residual.Add(hidden, projected);
    }

    // Row by row where there are few: a closure would cost a decode step an allocation.
    internal static void Normalize(Matrix x, float[] gain, float epsilon, Matrix y)
    {
        if (x.Rows <= Rows.PieceRows)
        {
            for (var row = 0; row < x.Rows; row++)
            {
                RmsNorm.Apply(x.Row(row), gain, epsilon, y.Row(row));
            }
        }
        else
        {
            RmsNorm.Apply(x, gain, epsilon, y);
        }
    }

    private static void Gate(Matrix gate, Matrix up)
    {
        if (gate.Rows <= Rows.PieceRows)
        {
            for (var row = 0; row < gate.Rows; row++)
            {
                Silu.Multiply(gate.Row(row), up.Row(row), gate.Row(row));
            }
        }
        else
        {
            Silu.Multiply(gate, up, gate);
        }
    }
}
