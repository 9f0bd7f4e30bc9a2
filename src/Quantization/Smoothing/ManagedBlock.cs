using MASQuant.Quantization.Calibration;

namespace MASQuant.Quantization.Smoothing;

/// <summary>An <see cref="ISimulatedBlock"/> by gradients that are written out.</summary>
internal sealed class ManagedBlock(SimulationProblem problem) : ISimulatedBlock
{
    private readonly BlockSimulation _block = new(problem.Description, problem.Norms, Layers(problem), problem.Parameters);
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

    private static ISimulatedGroup[] Layers(SimulationProblem problem)
    {
        var (groups, exact) = (new Queue<SimulatedLayers>(problem.Groups), new Queue<IReadOnlyList<Matrix>>(problem.Exact));
        return [.. problem.Description.Projections.Select(step => step.Group is null ? (ISimulatedGroup)new ExactGroup(exact.Dequeue()) : Quantized(groups.Dequeue()))];

        static GroupSimulation Quantized(SimulatedLayers group) => new(group.Weights, group.Biases, group.Factors, group.Scheme, group.GroupSize, group.RotationBlock);
    }
}
