using System.Numerics;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Smoothing;
using MASQuant.Torch.Algebra;
using MASQuant.Torch.Learning;
using static TorchSharp.torch;

namespace MASQuant.Torch;

/// <summary>The heavy steps on libtorch: the same formulas as <see cref="ManagedCompute"/>, the same bytes on the same device for any number of threads.</summary>
/// <param name="device">The processor, or a CUDA device.</param>
public sealed class TorchCompute(Device device) : ICompute, IBlockSimulator
{
    /// <inheritdoc/>
    public RowSum<T> SumInto<T>(RealMatrix<T> total, bool lowerOnly)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => new TorchRowSum<T>(device, total, lowerOnly);

    /// <inheritdoc/>
    public TriangularFactor<T>? TryFactor<T>(RealMatrix<T> a)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        set_num_threads(1);
        return TorchCholesky.TryFactor(device, a) is { } lower ? new TorchFactor<T>(lower) : null;
    }

    /// <inheritdoc/>
    public SingularFactors<T> Decompose<T>(MatrixView<T> a, int rank, RandomizedSvdOptions options)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        set_num_threads(1);
        return TorchSvd.Decompose(device, a, rank, options);
    }

    /// <inheritdoc/>
    public ISimulatedBlock? Simulate(SimulationProblem problem) => TorchBlock.Knows(problem) ? new TorchBlock(device, problem) : null;

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
