using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Layers;

/// <summary>A block of a decoder or a tower on the processor: the steps of its description, with norms and linear layers. Immutable; threads share a block, each with its own workspace and cache.</summary>
public sealed class TransformerBlock
{
    private readonly BlockOperation[] _operations;
    private readonly ILinearGroup[] _groups;
    private readonly IReadOnlyList<float[]> _parameters;

    /// <summary>Composes a block.</summary>
    /// <param name="description">Its steps.</param>
    /// <param name="norms">The norms, in the order of their steps.</param>
    /// <param name="groups">The linear layers of each step that has some, in order.</param>
    /// <param name="parameters">The other numbers, in the order of their steps; null: there are none.</param>
    /// <exception cref="NotSupportedException">The processor does not know a step.</exception>
    public TransformerBlock(BlockDescription description, IReadOnlyList<Norm> norms, IReadOnlyList<ILinearGroup> groups, IReadOnlyList<float[]>? parameters = null)
    {
        (Description, Norms, _groups, _parameters) = (description, norms, [.. groups], parameters ?? []);
        _operations = BlockOperation.Bind(description.Steps, norms, groups, _parameters);
    }

    /// <summary>The steps.</summary>
    public BlockDescription Description { get; }

    /// <summary>The norms, in the order of their steps.</summary>
    public IReadOnlyList<Norm> Norms { get; }

    /// <summary>The layers of an input group.</summary>
    public ILinearGroup this[InputGroup group] => _groups[Place(group)];

    /// <summary>Reads a block.</summary>
    /// <param name="source">A checkpoint or an artifact.</param>
    /// <param name="description">Its steps.</param>
    /// <param name="layers">Gives the layers of a step; what it gives null for is read in full precision.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static TransformerBlock Read(ITensorSource source, BlockDescription description, Func<ProjectStep, ILinearGroup?>? layers = null) => new(
        description,
        [.. description.Norms.Select(norm => Norm.Read(source, description.Prefix, norm))],
        [.. description.Projections.Select(step => layers?.Invoke(step) ?? DenseLinearGroup.Read(source, step, description.Prefix))],
        ReadParameters(source, description));

    /// <summary>Reads what steps have beside norms and linear layers, in their order.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static IReadOnlyList<float[]> ReadParameters(ITensorSource source, BlockDescription description) => [.. description.Parameters.Select(parameter =>
    {
        var name = description.Prefix + parameter.Name;
        return parameter.Columns == 0 ? source.ReadFloats(name, parameter.Rows) : source.ReadMatrix(name, parameter.Rows, parameter.Columns).Data;
    })];

    /// <summary>The same block with other layers in one input group.</summary>
    public TransformerBlock With(InputGroup group, ILinearGroup layers)
    {
        var groups = (ILinearGroup[])_groups.Clone();
        groups[Place(group)] = layers;
        return new TransformerBlock(Description, Norms, groups, _parameters);
    }

    /// <summary>Runs a decoder's block on T tokens.</summary>
    /// <param name="hidden">The residual stream, [T, H], updated in place.</param>
    /// <param name="modalities">T entries.</param>
    /// <param name="rotary">Prepared for the positions of the T tokens.</param>
    /// <param name="workspace">Scratch memory.</param>
    /// <param name="cache">The tokens before these, to which these are added; null when there are none and none will follow.</param>
    /// <param name="deepstack">What the vision tower has left for the first blocks; null: nothing.</param>
    public void Forward(Matrix hidden, ModalityMap modalities, RotaryTable rotary, DecoderWorkspace workspace, LayerMemory? cache = null, DeepstackRows? deepstack = null)
    {
        if (cache is null)
        {
            cache = workspace.Uncached;
            cache.Truncate(0);
        }

        Forward(hidden, modalities, rotary, workspace, new ReadOnlySpan<LayerMemory>(in cache), deepstack);
    }

    /// <summary>Runs a decoder's block on T tokens of one sequence, or on one token of each of T sequences.</summary>
    internal void Forward(Matrix hidden, ModalityMap modalities, RotaryTable rotary, DecoderWorkspace workspace, ReadOnlySpan<LayerMemory> caches, DeepstackRows? deepstack)
    {
        workspace.Attention.Begin(rotary, caches);
        Run(hidden, modalities, workspace.Values, workspace.Attention, deepstack);
    }

    /// <summary>Runs some of a decoder's steps on T tokens that are a whole sequence, and stops, or goes on where a pass stopped.</summary>
    /// <param name="steps">Which steps of the description.</param>
    /// <param name="hidden">The residual stream, [T, H], updated in place.</param>
    /// <param name="values">What the steps before have left, first what was computed last; a step may overwrite what it takes.</param>
    /// <param name="modalities">T entries.</param>
    /// <param name="rotary">Prepared for the positions of the T tokens.</param>
    /// <param name="workspace">Scratch memory.</param>
    /// <param name="deepstack">What the vision tower has left for the first blocks; null: nothing.</param>
    /// <returns>What these steps leave, [T, …] each, until the workspace is used again.</returns>
    public ReadOnlySpan<Matrix> Forward(Range steps, Matrix hidden, ReadOnlySpan<Matrix> values, ModalityMap modalities, RotaryTable rotary, DecoderWorkspace workspace, DeepstackRows? deepstack = null)
    {
        var cache = workspace.Uncached;
        cache.Truncate(0);
        workspace.Attention.Begin(rotary, new ReadOnlySpan<LayerMemory>(in cache));
        workspace.Values.Resume(values);
        Run(_operations.AsSpan(steps), hidden, modalities, workspace.Values, workspace.Attention, deepstack);
        return workspace.Values.Current;
    }

    /// <summary>Runs the steps.</summary>
    /// <param name="stream">The residual stream, [T, H], updated in place.</param>
    /// <param name="modalities">T entries; none for a tower.</param>
    /// <param name="values">Receives what the last step leaves.</param>
    /// <param name="attention">What computes attention.</param>
    /// <param name="deepstack">What the vision tower has left for a decoder's first blocks; null: nothing.</param>
    internal void Run(Matrix stream, ModalityMap modalities, StepValues values, IBlockAttention attention, DeepstackRows? deepstack = null)
    {
        values.Resume([]);
        Run(_operations, stream, modalities, values, attention, deepstack);
    }

    private static void Run(ReadOnlySpan<BlockOperation> operations, Matrix stream, ModalityMap modalities, StepValues values, IBlockAttention attention, DeepstackRows? deepstack)
    {
        var run = new BlockRun { Stream = stream, Modalities = modalities, Values = values, Attention = attention, Deepstack = deepstack ?? DeepstackRows.None };
        for (var i = 0; i < operations.Length; i++)
        {
            if (i + 1 < operations.Length && operations[i].TryRunInto(operations[i + 1], ref run))
            {
                i++;
            }
            else
            {
                operations[i].Run(ref run);
            }
        }
    }

    private int Place(InputGroup group)
    {
        for (var place = 0; place < _groups.Length; place++)
        {
            if (Description.Projections[place].Group == group)
            {
                return place;
            }
        }

        throw new ArgumentOutOfRangeException(nameof(group), group, "The block has no such group.");
    }
}
