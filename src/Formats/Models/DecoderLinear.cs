using MASQuant.Formats.Configuration;
using MASQuant.Formats.Schemes;

namespace MASQuant.Formats.Models;

/// <summary>One linear layer of a decoder block: its name and extents, without weights.</summary>
/// <param name="Name">The name inside the block: <c>self_attn.q_proj</c> … <c>mlp.down_proj</c>.</param>
/// <param name="Group">The layers with which it shares its input.</param>
/// <param name="Outputs">N.</param>
/// <param name="Inputs">K.</param>
public sealed record DecoderLinear(string Name, InputGroup Group, int Outputs, int Inputs)
{
    /// <summary>The layers of any block of a decoder, in the order q, k, v, o, gate, up, down.</summary>
    public static IReadOnlyList<DecoderLinear> Of(TextConfig config)
    {
        var hidden = config.HiddenSize;
        var queries = config.AttentionHeads * config.HeadSize;
        var keys = config.KeyValueHeads * config.HeadSize;
        return
        [
            new("self_attn.q_proj", InputGroup.Qkv, queries, hidden),
            new("self_attn.k_proj", InputGroup.Qkv, keys, hidden),
            new("self_attn.v_proj", InputGroup.Qkv, keys, hidden),
            new("self_attn.o_proj", InputGroup.O, hidden, queries),
            new("mlp.gate_proj", InputGroup.GateUp, config.IntermediateSize, hidden),
            new("mlp.up_proj", InputGroup.GateUp, config.IntermediateSize, hidden),
            new("mlp.down_proj", InputGroup.Down, hidden, config.IntermediateSize),
        ];
    }

    /// <summary>The prefix of the tensors of decoder block <paramref name="layer"/>: <c>model.layers.3.</c></summary>
    public static string BlockPrefix(int layer) => FormattableString.Invariant($"model.layers.{layer}.");
}
