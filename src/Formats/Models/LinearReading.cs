using MASQuant.Diagnostics;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Formats.Models;

/// <summary>Reads what a description says of a linear layer.</summary>
public static class LinearReading
{
    /// <summary>Whether a source stores the layers of a step as one.</summary>
    public static bool IsStoredAsOne(this ProjectStep step, ITensorSource source, string prefix) => step.FusedName is { } name && source.Has($"{prefix}{name}.weight");

    /// <summary>Whether a source has <paramref name="weight"/>, as its checkpoint had it or at 8 bits.</summary>
    public static bool Has(this ITensorSource source, string weight) => source.TryGet(weight, out _) || CodedMatrix.IsStored(source, weight);

    /// <summary>The biases of a layer, N values; empty where it has none.</summary>
    /// <param name="source">Is not kept.</param>
    /// <param name="layer">Name and extents.</param>
    /// <param name="prefix">What precedes the name.</param>
    /// <exception cref="MASQuantException">The tensor is missing, of another shape or type, or not finite.</exception>
    public static float[] ReadBias(this ITensorSource source, LinearDescription layer, string prefix = "")
        => source.HasBias(layer, prefix) ? source.ReadFloats($"{prefix}{layer.Name}.bias", layer.Outputs) : [];

    /// <summary>Whether a layer's biases are to be read.</summary>
    /// <param name="source">Has the tensors.</param>
    /// <param name="layer">Name and extents.</param>
    /// <param name="prefix">What precedes the name.</param>
    /// <exception cref="MASQuantException">MASQ0108: one is stored where there is none.</exception>
    public static bool HasBias(this ITensorSource source, LinearDescription layer, string prefix)
    {
        var name = $"{prefix}{layer.Name}.bias";
        return layer.Bias switch
        {
            BiasPresence.Required => true,
            BiasPresence.Optional => source.TryGet(name, out _),
            _ => !source.TryGet(name, out _) ? false : throw new MASQuantException(DiagnosticCodes.TensorMismatch, source.Path,
                $"Tensor '{name}' is stored, and models of this family have no bias there. The weights and config.json belong to different models."),
        };
    }
}
