namespace MASQuant.Quantization.Facts;

/// <summary>The steps of the pipeline, in order.</summary>
public enum QuantizationStage
{
    /// <summary>Reads the checkpoint and embeds the calibration set.</summary>
    Prepare,

    /// <summary>Measures activation statistics.</summary>
    Calibrate,

    /// <summary>Chooses and learns smoothing factors.</summary>
    Smooth,

    /// <summary>Chooses codes.</summary>
    Quantize,

    /// <summary>Computes low-rank patches.</summary>
    Compensate,

    /// <summary>Writes the artifact.</summary>
    Write,
}

/// <summary>Where a run stands.</summary>
/// <param name="Stage">The step under way.</param>
/// <param name="Layer">The decoder block (from 0), or −1 outside blocks.</param>
/// <param name="Layers">The number of decoder blocks.</param>
/// <param name="Modality">The modality under way, or null.</param>
/// <param name="Fraction">The share of the whole run that is done, 0…1.</param>
/// <param name="Remaining">The estimated time left, or null when unknown.</param>
/// <param name="Message">A line to print, in English.</param>
public sealed record QuantizationProgress(QuantizationStage Stage, int Layer, int Layers, Modality? Modality, double Fraction, TimeSpan? Remaining, string Message);
