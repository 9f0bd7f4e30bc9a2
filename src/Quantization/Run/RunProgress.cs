using MASQuant.Platform;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Run;

/// <summary>Turns the pipeline's steps into reports with a share done and an estimate of the time left.</summary>
/// <param name="progress">Receives the reports, or null.</param>
/// <param name="layers">The number of decoder blocks.</param>
/// <param name="blocks">Those that this run quantizes.</param>
internal sealed class RunProgress(IProgress<QuantizationProgress>? progress, int layers, BlockRange blocks)
{
    // Below this share an estimate would be a guess.
    private const double EstimableFraction = 0.01;
    private readonly long _started = Clock.Current.GetTimestamp();
    private double _resumed;

    /// <summary>Reports a step outside the blocks.</summary>
    public void Report(QuantizationStage stage, string message)
    {
        var fraction = stage == QuantizationStage.Write ? 1.0 : 0.0;
        progress?.Report(new QuantizationProgress(stage, -1, layers, null, fraction, null, message));
    }

    /// <summary>Notes that a block was finished by an earlier run.</summary>
    public void Resume(int layer)
    {
        _resumed = Fraction(layer, 1);
        progress?.Report(new QuantizationProgress(QuantizationStage.Prepare, layer, layers, null, _resumed, null, $"Block {layer + 1} of {layers}: finished by an earlier run."));
    }

    /// <summary>Reports a step inside a block.</summary>
    /// <param name="layer">The block.</param>
    /// <param name="stage">The step.</param>
    /// <param name="modality">The modality under way, or null.</param>
    /// <param name="done">The share of the block that is done, 0…1.</param>
    public void Report(int layer, QuantizationStage stage, Modality? modality, double done)
    {
        var fraction = Fraction(layer, done);
        var gained = fraction - _resumed;
        TimeSpan? remaining = gained < EstimableFraction ? null : Clock.Current.GetElapsedTime(_started) * ((1 - fraction) / gained);
        var subject = modality is null ? "" : $", {modality}";
        progress?.Report(new QuantizationProgress(stage, layer, layers, modality, fraction, remaining, $"Block {layer + 1} of {layers}: {Verb(stage)}{subject}."));
    }

    private double Fraction(int layer, double done) => (layer - blocks.First + done) / (blocks.Last - blocks.First + 1);

    private static string Verb(QuantizationStage stage) => stage switch
    {
        QuantizationStage.Calibrate => "measuring activations",
        QuantizationStage.Smooth => "choosing smoothing factors",
        QuantizationStage.Quantize => "quantizing weights",
        QuantizationStage.Compensate => "fitting low-rank patches",
        _ => "working",
    };
}
