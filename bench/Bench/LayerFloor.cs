using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Options;

namespace MASQuant.Bench;

/// <summary>The time that quantizing one decoder layer would take if nothing but its products were computed, each once and as fast as the machine multiplies.</summary>
/// <param name="shape">The layer.</param>
/// <param name="options">The method.</param>
/// <param name="tokens">Of the calibration set.</param>
/// <param name="patched">Those of modalities that have patches.</param>
/// <param name="roof">FP32 operations per second, multiply-adds in registers.</param>
internal sealed class LayerFloor(ModelShape shape, QuantizationOptions options, long tokens, long patched, double roof)
{
    // Of the roof a large product reaches: packing and memory take the rest.
    private const double Single = 0.85;

    // Integer products of 8 bits, of that.
    private const double Integer = 2;
    private const long LearningTokens = 16384;

    /// <summary>Seconds of one stage of a layer.</summary>
    public double Of(QuantizationStage stage) => stage switch
    {
        QuantizationStage.Calibrate => shape.Groups.Sum(group => Gram(group.Inputs)) / Rate,
        QuantizationStage.Smooth => options.Epochs * 3 * Pass(Math.Min(tokens, LearningTokens)) / Rate,
        QuantizationStage.Quantize => shape.Groups.Sum(group => Feedback(group.Outputs, group.Inputs)) / Rate,
        QuantizationStage.Compensate => (Pass(tokens) + (Pass(tokens) / Integer) + Pass(patched) + shape.Groups.Sum(group => Patch(group.Outputs, group.Inputs))) / Rate,
        _ => 0,
    };

    private double Rate => Single * roof;

    private double Pass(long rows) => shape.Groups.Sum(group => 2.0 * rows * group.Outputs * group.Inputs);

    // A triangle of K² sums.
    private double Gram(int inputs) => (double)tokens * inputs * inputs;

    // The factor of H and N triangular solves with it.
    private static double Feedback(int outputs, int inputs) => (Cube(inputs) / 3) + ((double)outputs * inputs * inputs);

    // The factor of C_m and N solves with it.
    private double Patch(int outputs, int inputs) => options.Compensation == CompensationKind.None || patched == 0 ? 0 : Feedback(outputs, inputs);

    private static double Cube(double extent) => extent * extent * extent;
}
