using MASQuant.Engine.Gemm;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Layers;

/// <summary>A quantized input group: smooths, rotates and quantizes the shared input once, then multiplies it by each weight (paper Eq. 29).</summary>
/// <remarks>Threads may share a group.</remarks>
public sealed class QuantizedLinearGroup : ILinearGroup, IPreparingGroup
{
    private readonly IReadOnlyList<QuantizedWeight> _weights;
    private readonly InputTransform _input;
    private readonly IGemmBackend _backend;
    private readonly PreparedTokensPool _pool;

    /// <summary>Groups weights that share their input.</summary>
    /// <param name="weights">[N_i, K] each, of one scheme, in the order of their step's layers.</param>
    /// <param name="input">What is done to their input.</param>
    /// <param name="backend">Executes the products.</param>
    /// <param name="pool">Working memory, which groups of a model share; null: the group's own.</param>
    /// <exception cref="ArgumentException">The weights differ in K or scheme, or parts or factors do not fit their shapes.</exception>
    public QuantizedLinearGroup(IReadOnlyList<QuantizedWeight> weights, InputTransform input, IGemmBackend backend, PreparedTokensPool? pool = null)
    {
        GemmChecks.Group(weights, input);
        (_weights, _input, _backend) = (weights, input, backend);
        _pool = pool ?? new PreparedTokensPool();
    }

    /// <inheritdoc/>
    public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs.Length, _weights.Count);
        var tokens = _pool.Rent();
        _backend.Prepare(x, modalities, _input, _weights[0].Scheme, tokens);
        Multiply(tokens, outputs);
    }

    void IPreparingGroup.Forward(IInputRows x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs.Length, _weights.Count);
        var tokens = _pool.Rent();
        _backend.Prepare(x, modalities, _input, _weights[0].Scheme, tokens);
        Multiply(tokens, outputs);
    }

    /// <summary>Computes the layer of a group of one, from and into any memory.</summary>
    /// <param name="x">[M, K] activations, row after row.</param>
    /// <param name="modalities">M entries.</param>
    /// <param name="y">[M, N], row after row, overwritten; it may be the memory of <paramref name="x"/>.</param>
    /// <exception cref="ArgumentException">The shapes do not fit each other.</exception>
    public void Forward(ReadOnlySpan<float> x, ModalityMap modalities, Span<float> y)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(_weights.Count, 1);
        var tokens = _pool.Rent();
        _backend.Prepare(x, _weights[0].Inputs, modalities, _input, _weights[0].Scheme, tokens);
        _backend.Multiply(tokens, _weights[0], y);
        _pool.Return(tokens);
    }

    private void Multiply(PreparedTokens tokens, ReadOnlySpan<Matrix> outputs)
    {
        for (var i = 0; i < outputs.Length; i++)
        {
            _backend.Multiply(tokens, _weights[i], outputs[i]);
        }

        _pool.Return(tokens);
    }
}
