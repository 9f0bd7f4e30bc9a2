using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Tests.Towers;

/// <summary>A checkpoint whose vision tower has a narrower MLP: the first values of each layer inside it.</summary>
internal sealed class NarrowSource(ITensorSource source, int inner) : ITensorSource
{
    public string Path => source.Path;

    public IReadOnlyCollection<TensorInfo> Tensors => [.. source.Tensors.Select(Narrow)];

    public bool TryGet(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out TensorInfo? tensor)
    {
        tensor = source.TryGet(name, out var whole) ? Narrow(whole) : null;
        return tensor is not null;
    }

    public ReadOnlyMemory<byte> Bytes(string name)
    {
        var (whole, narrow) = (source.Find(name), Narrow(source.Find(name)));
        var (wholeRow, row) = (RowBytes(whole), RowBytes(narrow));
        return Enumerable.Range(0, narrow.Shape[0]).SelectMany(i => source.Bytes(name).Slice(i * wholeRow, row).ToArray()).ToArray();
    }

    public void Dispose() => source.Dispose();

    private static int RowBytes(TensorInfo tensor) => tensor.Shape.Skip(1).Aggregate(2, (bytes, extent) => bytes * extent); // BF16

    private TensorInfo Narrow(TensorInfo tensor)
    {
        var (isInner, isDown) = (tensor.Name.Contains("mlp.gate_proj", StringComparison.Ordinal) || tensor.Name.Contains("mlp.up_proj", StringComparison.Ordinal), tensor.Name.EndsWith("mlp.down_proj.weight", StringComparison.Ordinal));
        return !tensor.Name.StartsWith("visual.blocks", StringComparison.Ordinal) || !(isInner || isDown) ? tensor : tensor with { Shape = isDown ? [tensor.Shape[0], inner] : [inner, .. tensor.Shape.Skip(1)] };
    }
}
