using MASQuant.Formats.Artifacts;

namespace MASQuant.Evaluation.Tuning;

/// <summary>A setting with its figures.</summary>
/// <param name="Setting">Schemes and ranks.</param>
/// <param name="Bytes">The artifact's bytes, predicted.</param>
/// <param name="Sqnr">The lowest SQNR over all quantized layers, predicted, in dB, indexed by <see cref="Modality"/>.</param>
/// <param name="Loss">The evaluation loss, predicted; NaN while none was measured.</param>
public sealed record TuningPoint(ModelSetting Setting, long Bytes, double[] Sqnr, double Loss)
{
    /// <summary>Which combination of other options it takes, from 0.</summary>
    public int Combination { get; init; }

    /// <summary>What was or is to be quantized.</summary>
    public (ModelSetting Setting, int Combination) Key => (Setting, Combination);

    /// <summary>The manifest of the real quantization, or null while there is none.</summary>
    public Manifest? Measured { get; init; }

    /// <summary>The evaluation loss of the real quantization, where one is asked for.</summary>
    public double? MeasuredLoss { get; init; }

    /// <summary>The point as a model predicts it.</summary>
    public static TuningPoint Of(NoiseModel model, ModelSetting setting)
    {
        var noise = model.Noise(setting);
        return new TuningPoint(setting, model.Bytes(setting), [.. Enum.GetValues<Modality>().Select(modality => NoiseModel.Sqnr(noise, modality))], model.Loss(noise));
    }

    /// <summary>The lowest SQNR that the real quantization has for a modality; null when there is none.</summary>
    public (double Decibels, string Layer)? MeasuredSqnr(Modality modality)
    {
        var layers = Measured?.Layers.SelectMany(layer => layer.Linears.Where(linear => linear.Sqnr.ContainsKey(modality.ToString()))
            .Select(linear => (Decibels: linear.Sqnr[modality.ToString()].After, Layer: FormattableString.Invariant($"{layer.Index}.{linear.Name}")))).ToArray();
        return layers is { Length: > 0 } ? layers.MinBy(layer => layer.Decibels) : null;
    }
}
