using MASQuant.Quantization.Run;

namespace MASQuant.Evaluation.Tuning;

/// <summary>Brings the artifact of a setting to the job's folder, where an earlier run may have left it.</summary>
/// <param name="step">The setting, for people.</param>
/// <param name="job">How it is quantized.</param>
/// <param name="key">The artifact's key.</param>
public delegate void PointDelivery(string step, QuantizationJob job, string key);
