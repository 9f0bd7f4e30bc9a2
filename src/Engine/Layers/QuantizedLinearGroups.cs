using MASQuant.Engine.Gemm;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Layers;

/// <summary>Quantized input groups on the processor, which share their working memory.</summary>
/// <param name="backend">Executes the products.</param>
public sealed class QuantizedLinearGroups(IGemmBackend backend) : ILinearGroups
{
    private readonly PreparedTokensPool _pool = new();

    /// <inheritdoc/>
    public ILinearGroup Create(IReadOnlyList<QuantizedWeight> weights, InputTransform input)
        => new QuantizedLinearGroup(weights, input, backend, _pool);
}
