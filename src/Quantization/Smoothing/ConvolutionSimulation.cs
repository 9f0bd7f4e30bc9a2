using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;

namespace MASQuant.Quantization.Smoothing;

/// <summary>The causal convolution of every channel over one sequence, then SiLU, with gradients.</summary>
/// <param name="step">Channels and width.</param>
/// <param name="weights">[C, width].</param>
internal sealed class ConvolutionSimulation(ConvolveStep step, float[] weights) : SimulatedStep
{
    private Matrix _sums = new(0, 0);

    /// <inheritdoc/>
    public override void Forward(SimulatedRun run)
    {
        var x = run.Take();
        var output = new Matrix(x.Rows, x.Columns);
        _sums = new Matrix(x.Rows, x.Columns);
        Workers.For(x.Rows, t =>
        {
            for (var tap = 0; tap < step.Width; tap++)
            {
                var source = t - (step.Width - 1) + tap;
                for (var c = 0; source >= 0 && c < x.Columns; c++)
                {
                    _sums[t, c] = MathF.FusedMultiplyAdd(weights[(c * step.Width) + tap], x[source, c], _sums[t, c]);
                }
            }

            for (var c = 0; c < x.Columns; c++)
            {
                output[t, c] = SiluGradient.Silu(_sums[t, c]);
            }
        });
        run.Put(output);
    }

    /// <inheritdoc/>
    public override void Backward(SimulatedRun run)
    {
        var gradient = run.Take();
        var result = new Matrix(gradient.Rows, gradient.Columns);
        Workers.For(gradient.Rows, t =>
        {
            for (var tap = 0; tap < step.Width; tap++)
            {
                var reader = t + (step.Width - 1) - tap;
                for (var c = 0; reader < gradient.Rows && c < gradient.Columns; c++)
                {
                    result[t, c] += weights[(c * step.Width) + tap] * gradient[reader, c] * SiluGradient.Slope(_sums[reader, c]);
                }
            }
        });
        run.Put(result);
    }
}
