using MASQuant.Engine.Layers;

namespace MASQuant.Quantization.Smoothing;

/// <summary>norm(x) ⊙ SiLU(gate), head by head, with gradients.</summary>
internal sealed class GatedNormSimulation(Norm norm) : SimulatedStep
{
    private Matrix[] _inputs = [];
    private Matrix _normed = new(0, 0);

    /// <inheritdoc/>
    public override void Forward(SimulatedRun run)
    {
        _inputs = run.Take(2);
        _normed = _inputs[0].Copy();
        norm.ApplyToHeads(_normed);
        var output = new Matrix(_normed.Rows, _normed.Columns);
        for (var i = 0; i < output.Span.Length; i++)
        {
            output.Span[i] = _normed.Span[i] * SiluGradient.Silu(_inputs[1].Span[i]);
        }

        run.Put(output);
    }

    /// <inheritdoc/>
    public override void Backward(SimulatedRun run)
    {
        var gradient = run.Take();
        var (normed, gate) = (new Matrix(gradient.Rows, gradient.Columns), new Matrix(gradient.Rows, gradient.Columns));
        for (var i = 0; i < gradient.Span.Length; i++)
        {
            var z = _inputs[1].Span[i];
            (normed.Span[i], gate.Span[i]) = (gradient.Span[i] * SiluGradient.Silu(z), gradient.Span[i] * _normed.Span[i] * SiluGradient.Slope(z));
        }

        run.Put(NormGradient.ThroughHeads(_inputs[0], norm, normed), gate);
    }
}
