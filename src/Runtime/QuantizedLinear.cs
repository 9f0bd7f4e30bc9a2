using MASQuant.Engine.Execution;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Schemes;

namespace MASQuant.Runtime;

/// <summary>One quantized linear layer: Y = Q_a(Z_m) · Q_w(s_b ⊙ W · H)ᵀ + Z_m · L1_m · L2_m + bias with Z_m = X_m / s_m · H (paper Eq. 29).</summary>
/// <remarks>Threads may share a layer.</remarks>
public sealed class QuantizedLinear : IDisposable
{
    private readonly QuantizedWeight _weight;
    private readonly QuantizedLinearGroup _group;
    private readonly UserCount? _users;
    private bool _disposed;

    /// <summary>Creates a layer over a stored weight.</summary>
    /// <param name="weight">[N, K].</param>
    /// <param name="input">What is done to its input.</param>
    /// <param name="users">Counts who reads the weight's mapped memory; null where it is not mapped.</param>
    /// <param name="backend">Executes the products; null: the CPU.</param>
    /// <exception cref="ArgumentException">The weight's parts do not fit its shape.</exception>
    internal QuantizedLinear(QuantizedWeight weight, InputTransform input, UserCount? users = null, IGemmBackend? backend = null)
    {
        (_weight, _users) = (weight, users);
        _group = new QuantizedLinearGroup([weight], input, backend ?? new CpuGemmBackend());
    }

    /// <summary>N, the number of output features.</summary>
    public int Outputs => _weight.Outputs;

    /// <summary>K, the number of input features.</summary>
    public int Inputs => _weight.Inputs;

    /// <summary>How weights and activations are quantized.</summary>
    public QuantizationScheme Scheme => _weight.Scheme;

    /// <summary>The rank of the patch that tokens of <paramref name="modality"/> meet; 0 without one.</summary>
    public int RankOf(Modality modality) => _weight.Patches[(int)modality]?.Rank ?? 0;

    /// <summary>Computes the layer.</summary>
    /// <param name="x">[M, K] activations.</param>
    /// <param name="modalities">M entries, the modality of each row of <paramref name="x"/>.</param>
    /// <param name="y">[M, N], overwritten.</param>
    /// <exception cref="ArgumentException">The shapes do not fit each other.</exception>
    /// <exception cref="ObjectDisposedException">The layer or its model is disposed.</exception>
    public void Forward(Matrix x, ModalityMap modalities, Matrix y)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var use = _users?.Enter();
        _group.Forward(x, modalities, new ReadOnlySpan<Matrix>(in y));
    }

    /// <summary>Computes the layer from and into any memory, that of another library too: nothing is copied.</summary>
    /// <param name="x">[M, K] activations, row after row.</param>
    /// <param name="modalities">M entries, the modality of each row of <paramref name="x"/>.</param>
    /// <param name="y">[M, N], row after row, overwritten; it may be the memory of <paramref name="x"/>.</param>
    /// <exception cref="ArgumentException">The shapes do not fit each other.</exception>
    /// <exception cref="ObjectDisposedException">The layer or its model is disposed.</exception>
    public void Forward(ReadOnlySpan<float> x, ModalityMap modalities, Span<float> y)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var use = _users?.Enter();
        _group.Forward(x, modalities, y);
    }

    /// <summary>Ends the use of the layer; its bytes stay mapped as long as the model is open.</summary>
    public void Dispose() => _disposed = true;
}
