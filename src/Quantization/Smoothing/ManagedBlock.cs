using MASQuant.Quantization.Calibration;

namespace MASQuant.Quantization.Smoothing;

/// <summary>An <see cref="ISimulatedBlock"/> by gradients that are written out.</summary>
internal sealed class ManagedBlock(SimulationProblem problem) : ISimulatedBlock
{
    private readonly BlockSimulation _block = new(problem.Description, problem.Norms,
        [.. problem.Groups.Select(group => new GroupSimulation(group.Weights, group.Biases, group.Factors, group.Scheme, group.GroupSize, group.RotationBlock))]);
    private readonly BlockLoss _loss = new(problem.ModalityWeights);

    public IEnumerable<GroupFactors> Factors => _block.Factors;

    public void Refresh() => _block.Refresh();

    public double Loss(CalibrationSequence sequence, Matrix target)
        => _loss.Measure(_block.Forward(sequence.Quantized, sequence.Modalities, sequence.Rotary, sequence.Deepstack), target, sequence.Modalities, gradient: null);

    public void Descend(CalibrationSequence sequence, Matrix target)
    {
        var output = _block.Forward(sequence.Quantized, sequence.Modalities, sequence.Rotary, sequence.Deepstack);
        var gradient = new Matrix(output.Rows, output.Columns);
        _loss.Measure(output, target, sequence.Modalities, gradient);
        _block.Backward(gradient);
    }

    public void Dispose()
    {
    }
}
