using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;

namespace MASQuant.Quantization.Smoothing;

/// <summary>A decoder block as it will be executed once quantized, differentiable in the smoothing factors of its input groups.</summary>
/// <param name="description">The steps.</param>
/// <param name="norms">The norms, in the order of their steps.</param>
/// <param name="groups">The layers of each step that has some, in order.</param>
/// <param name="parameters">The other numbers, in the order of their steps; null: there are none.</param>
/// <exception cref="NotSupportedException">The gradient of a step is not known.</exception>
internal sealed class BlockSimulation(BlockDescription description, IReadOnlyList<Norm> norms, IReadOnlyList<ISimulatedGroup> groups, IReadOnlyList<float[]>? parameters = null)
{
    private readonly SimulatedStep[] _steps = SimulatedStep.Bind(description.Steps, norms, groups, parameters ?? []);
    private (ModalityMap Modalities, RotaryTable Rotary)? _last;

    /// <summary>The factors of the input groups.</summary>
    public IEnumerable<GroupFactors> Factors => groups.OfType<GroupSimulation>().Select(g => g.Factors);

    /// <summary>Recomputes what depends on the factors alone.</summary>
    public void Refresh()
    {
        foreach (var group in groups.OfType<GroupSimulation>())
        {
            group.Refresh();
        }
    }

    /// <summary>The block's output [T, H] for its input [T, H].</summary>
    public Matrix Forward(Matrix hidden, ModalityMap modalities, RotaryTable rotary, DeepstackRows? deepstack = null)
    {
        _last = (modalities, rotary);
        var run = new SimulatedRun(hidden, modalities, rotary, deepstack ?? DeepstackRows.None);
        foreach (var step in _steps)
        {
            step.Forward(run);
        }

        return run.Stream;
    }

    /// <summary>Adds ∂loss/∂factors of the last <see cref="Forward"/> to the groups' gradients and returns ∂loss/∂hidden, given ∂loss/∂output.</summary>
    public Matrix Backward(Matrix outputGradient)
    {
        var (modalities, rotary) = _last ?? throw new InvalidOperationException("There was no forward pass.");
        var run = new SimulatedRun(outputGradient, modalities, rotary, DeepstackRows.None);
        for (var step = _steps.Length - 1; step >= 0; step--)
        {
            _steps[step].Backward(run);
        }

        return run.Stream;
    }
}
