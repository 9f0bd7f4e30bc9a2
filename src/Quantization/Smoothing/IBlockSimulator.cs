using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;

namespace MASQuant.Quantization.Smoothing;

/// <summary>Simulates blocks elsewhere than in managed code.</summary>
public interface IBlockSimulator
{
    /// <summary>Binds a block; null where the gradient of a step is not known: managed code then learns.</summary>
    ISimulatedBlock? Simulate(SimulationProblem problem);
}

/// <summary>What a simulated block is made of.</summary>
/// <param name="Description">The steps.</param>
/// <param name="Norms">The norms, in the order of their steps.</param>
/// <param name="Groups">The layers of each input group, in order.</param>
/// <param name="ModalityWeights">λ_m, indexed by <see cref="Modality"/>.</param>
public sealed record SimulationProblem(BlockDescription Description, IReadOnlyList<Norm> Norms, IReadOnlyList<SimulatedLayers> Groups, IReadOnlyList<double> ModalityWeights)
{
    /// <summary>The weights of the steps whose layers stay as they are, in order.</summary>
    public IReadOnlyList<IReadOnlyList<Matrix>> Exact { get; init; } = [];

    /// <summary>The other numbers, in the order of their steps.</summary>
    public IReadOnlyList<float[]> Parameters { get; init; } = [];
}

/// <summary>The layers of an input group.</summary>
/// <param name="Weights">W_i, [N_i, K].</param>
/// <param name="Biases">b_i, N_i values or none.</param>
/// <param name="Factors">The group's factors.</param>
/// <param name="Scheme">Bits.</param>
/// <param name="GroupSize">Inputs that share a second-level scale, or 0.</param>
/// <param name="RotationBlock">The block of the rotation; 0 for none.</param>
public sealed record SimulatedLayers(IReadOnlyList<Matrix> Weights, IReadOnlyList<float[]> Biases, GroupFactors Factors, QuantizationScheme Scheme, int GroupSize, int RotationBlock);
