using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;

namespace MASQuant.Formats.Artifacts;

/// <summary>A decoder block after quantization: what an artifact stores of it in place of its linear layers' weights.</summary>
public sealed record QuantizedLayer
{
    /// <summary>The block's number, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The linear layers by their names inside the block (<see cref="DecoderLinear"/>). Patches hold values that FP16 represents.</summary>
    public required IReadOnlyDictionary<string, QuantizedWeight> Linears { get; init; }

    /// <summary>What each input group does to its input.</summary>
    public required IReadOnlyDictionary<InputGroup, InputTransform> Inputs { get; init; }
}
