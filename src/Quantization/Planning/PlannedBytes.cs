using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Planning;

/// <summary>What a linear layer's tensors will take in the artifact.</summary>
public static class PlannedBytes
{
    /// <summary>The bytes of one layer.</summary>
    /// <param name="linear">The layer.</param>
    /// <param name="scheme">Its scheme.</param>
    /// <param name="ranks">The ranks of its patches together.</param>
    /// <param name="options">Everything else that shapes it.</param>
    /// <param name="bias">The element type of its bias; null for none.</param>
    public static long Of(DecoderLinear linear, QuantizationScheme scheme, int ranks, QuantizationOptions options, DataType? bias = null)
        => TensorBytes.OfLinear(linear.Outputs, linear.Inputs, scheme, options.GroupSizeFor(scheme) > 0, ranks, bias);
}
