using MASQuant.Formats.Schemes;

namespace MASQuant.Formats.Models;

/// <summary>One linear layer of a decoder block that is quantized: its name and extents, without weights.</summary>
/// <param name="Name">The name inside the block: <c>self_attn.q_proj</c> … <c>mlp.down_proj</c>.</param>
/// <param name="Group">The layers with which it shares its input.</param>
/// <param name="Outputs">N.</param>
/// <param name="Inputs">K.</param>
public sealed record DecoderLinear(string Name, InputGroup Group, int Outputs, int Inputs);
