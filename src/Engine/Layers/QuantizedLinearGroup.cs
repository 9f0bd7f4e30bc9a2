using MASQuant.Engine.Gemm;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Layers;

/// <summary>A quantized input group: smooths and quantizes the shared input once, then multiplies it by each weight (paper Eq. 29).</summary>
/// <remarks>Threads may share a group.</remarks>
public sealed class QuantizedLinearGroup : ILinearGroup
{
    private readonly IReadOnlyList<QuantizedWeight> _weights;
    private readonly IReadOnlyList<float[]> _inverseSmoothing;
    private readonly IGemmBackend _backend;
    private readonly PreparedTokensPool _pool;

    /// <summary>Groups weights that share their input.</summary>
    /// <param name="weights">[N_i, K] each, of one scheme, in the order of their step's layers.</param>
    /// <param name="inverseSmoothing">1/s_m, K values for each modality, indexed by <see cref="Modality"/>; an empty array stands for ones.</param>
    /// <param name="backend">Executes the products.</param>
    /// <param name="pool">Working memory, which groups of a model share; null: the group's own.</param>
    /// <exception cref="ArgumentException">The weights differ in K, scheme or rotation, or parts or factors do not fit their shapes.</exception>
    public QuantizedLinearGroup(
        IReadOnlyList<QuantizedWeight> weights, IReadOnlyList<float[]> inverseSmoothing, IGemmBackend backend, PreparedTokensPool? pool = null)
    {
        GemmChecks.Group(weights, inverseSmoothing);
        (_weights, _inverseSmoothing, _backend) = (weights, inverseSmoothing, backend);
        _pool = pool ?? new PreparedTokensPool();
    }

    /// <inheritdoc/>
    public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs.Length, _weights.Count);
        var tokens = _pool.Rent();
        if (_weights[0].RotationBlock > 0)
        {
            x = tokens.Rotated(x);
            BlockHadamard.Apply(x, _weights[0].RotationBlock);
        }

        _backend.Prepare(x, modalities, _inverseSmoothing, _weights[0].Scheme, tokens);
        for (var i = 0; i < outputs.Length; i++)
        {
            _backend.Multiply(tokens, _weights[i], outputs[i]);
        }

        _pool.Return(tokens);
    }
}
