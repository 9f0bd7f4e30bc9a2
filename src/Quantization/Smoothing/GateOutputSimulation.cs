namespace MASQuant.Quantization.Smoothing;

/// <summary>x ⊙ σ(gate), with gradients.</summary>
internal sealed class GateOutputSimulation : SimulatedStep
{
    private Matrix[] _inputs = [];

    /// <inheritdoc/>
    public override void Forward(SimulatedRun run)
    {
        _inputs = run.Take(2);
        var output = new Matrix(_inputs[0].Rows, _inputs[0].Columns);
        for (var i = 0; i < output.Span.Length; i++)
        {
            output.Span[i] = _inputs[0].Span[i] * Sigma(i);
        }

        run.Put(output);
    }

    /// <inheritdoc/>
    public override void Backward(SimulatedRun run)
    {
        var gradient = run.Take();
        var (x, gate) = (new Matrix(gradient.Rows, gradient.Columns), new Matrix(gradient.Rows, gradient.Columns));
        for (var i = 0; i < gradient.Span.Length; i++)
        {
            var sigma = Sigma(i);
            (x.Span[i], gate.Span[i]) = (gradient.Span[i] * sigma, gradient.Span[i] * _inputs[0].Span[i] * sigma * (1 - sigma));
        }

        run.Put(x, gate);
    }

    private float Sigma(int i) => 1 / (1 + (float)Elementary.Exp(-_inputs[1].Span[i]));
}
