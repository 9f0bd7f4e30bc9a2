using MASQuant.Formats.Artifacts;

namespace MASQuant.Evaluation.Budgets;

/// <summary>The SQNR of a model for one modality: the lowest over all its quantized linear layers. Each layer's output is compared with the full-precision model's, patches and the noise of all layers before it included.</summary>
/// <param name="Decibels">10·log10(‖y‖²/‖y − ŷ‖²) of the weakest layer.</param>
/// <param name="Layer">Its decoder block.</param>
/// <param name="Linear">The layer.</param>
public sealed record ModelSqnr(double Decibels, int Layer, ManifestLinear Linear)
{
    /// <summary>The weakest layer's name: <c>5.mlp.down_proj</c>.</summary>
    public string Name => FormattableString.Invariant($"{Layer}.{Linear.Name}");

    /// <summary>The SQNR for a modality; null when the manifest has none, as before quantization or for a modality that the model lacks.</summary>
    public static ModelSqnr? Of(Manifest manifest, Modality modality) => Layers(manifest, modality).MinBy(layer => layer.Decibels);

    /// <summary>Every layer's SQNR after compensation, in order.</summary>
    public static IEnumerable<ModelSqnr> Layers(Manifest manifest, Modality modality)
        => from layer in manifest.Layers
           from linear in layer.Linears
           where linear.Sqnr.ContainsKey(modality.ToString())
           select new ModelSqnr(linear.Sqnr[modality.ToString()].After, layer.Index, linear);
}
