using MASQuant.Quantization.Calibration;

namespace MASQuant.Quantization.Smoothing;

/// <summary>A decoder block as it will be executed once quantized, whose loss (paper Eq. 14) is differentiable in the smoothing factors of its input groups.</summary>
public interface ISimulatedBlock : IDisposable
{
    /// <summary>The factors of the input groups; call <see cref="Refresh"/> after changing them.</summary>
    IEnumerable<GroupFactors> Factors { get; }

    /// <summary>Recomputes what depends on the factors alone.</summary>
    void Refresh();

    /// <summary>The loss of a sequence.</summary>
    /// <param name="sequence">Its quantized stream enters the block.</param>
    /// <param name="target">The block's full-precision output, [T, H].</param>
    double Loss(CalibrationSequence sequence, Matrix target);

    /// <summary>Adds ∂loss/∂log s of a sequence to the gradients of the factors.</summary>
    /// <param name="sequence">Its quantized stream enters the block.</param>
    /// <param name="target">The block's full-precision output, [T, H].</param>
    void Descend(CalibrationSequence sequence, Matrix target);
}
