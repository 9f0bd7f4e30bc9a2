using MASQuant.Layers;
using MASQuant.Tensors;

namespace MASQuant.Calibration;

/// <summary>Lets several threads evaluate a group whose implementation keeps working memory: each thread gets its own.</summary>
/// <param name="create">Makes one; all are equal.</param>
internal sealed class ConcurrentLinearGroup(Func<ILinearGroup> create) : ILinearGroup
{
    private readonly ThreadLocal<ILinearGroup> _groups = new(create);

    /// <inheritdoc/>
    public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs) => _groups.Value!.Forward(x, modalities, outputs);
}
