using MASQuant.Formats.Models;

namespace MASQuant.Quantization.Smoothing;

/// <summary>Splits queries from the gates of their heads, with gradients.</summary>
internal sealed class SplitGatesSimulation(SplitGatesStep step) : SimulatedStep
{
    /// <inheritdoc/>
    public override void Forward(SimulatedRun run)
    {
        var values = run.Take(3);
        var (queries, gates) = (new Matrix(values[0].Rows, step.Heads * step.HeadSize), new Matrix(values[0].Rows, step.Heads * step.HeadSize));
        Move(values[0], queries, gates, join: false);
        run.Put(queries, values[1], values[2], gates);
    }

    /// <inheritdoc/>
    public override void Backward(SimulatedRun run)
    {
        var gradients = run.Take(4);
        var both = new Matrix(gradients[0].Rows, 2 * step.Heads * step.HeadSize);
        Move(both, gradients[0], gradients[3], join: true);
        run.Put(both, gradients[1], gradients[2]);
    }

    private void Move(Matrix both, Matrix queries, Matrix gates, bool join)
    {
        for (var t = 0; t < both.Rows; t++)
        {
            for (var part = 0; part < 2 * step.Heads; part++)
            {
                var joined = both.Row(t).Slice(part * step.HeadSize, step.HeadSize);
                var own = (part % 2 == 0 ? queries : gates).Row(t).Slice(part / 2 * step.HeadSize, step.HeadSize);
                (join ? own : joined).CopyTo(join ? joined : own);
            }
        }
    }
}
