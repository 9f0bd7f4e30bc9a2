namespace MASQuant.Quantization.Calibration;

/// <summary>A random part of a calibration set, the same for the same seed.</summary>
/// <param name="Samples">How many samples are drawn, without replacement.</param>
/// <param name="Seed">Seeds the draw.</param>
public sealed record CalibrationSubset(int Samples, ulong Seed);
