namespace MASQuant.Formats.Safetensors;

/// <summary>A tensor's name, element type and shape.</summary>
public sealed record TensorInfo(string Name, DataType Type, IReadOnlyList<int> Shape)
{
    /// <summary>The number of elements.</summary>
    public long Count
    {
        get
        {
            var count = 1L;
            foreach (var extent in Shape)
            {
                count = checked(count * extent);
            }

            return count;
        }
    }

    /// <summary>The size in bytes.</summary>
    public long Bytes => checked(Count * Type.ByteSize());
}

/// <summary>Named tensors of a checkpoint or an artifact. Names are canonical: <c>model.layers.0.…</c>, <c>visual.…</c>, <c>audio_tower.…</c>, <c>lm_head.weight</c>, whatever prefix the files carry.</summary>
public interface ITensorSource : IDisposable
{
    /// <summary>The folder or file that messages name.</summary>
    string Path { get; }

    /// <summary>Every tensor, in the order of the names.</summary>
    IReadOnlyCollection<TensorInfo> Tensors { get; }

    /// <summary>Looks a tensor up.</summary>
    bool TryGet(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out TensorInfo? tensor);

    /// <summary>The bytes of a tensor of less than 2 GiB, little-endian, row-major; mapped, valid until the source is disposed.</summary>
    ReadOnlyMemory<byte> Bytes(string name);

    /// <summary>A part of the bytes of a tensor of any size.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="offset">Its first byte.</param>
    /// <param name="count">Its bytes.</param>
    ReadOnlyMemory<byte> Bytes(string name, long offset, int count) => Bytes(name).Slice(checked((int)offset), count);

    /// <summary>Says that a tensor is not going to be read for now: the pages of its mapping cease to count as this process's memory. Whoever reads it nevertheless gets the same bytes.</summary>
    /// <exception cref="MASQuantException">MASQ0107: it is missing.</exception>
    void Discard(string name)
    {
    }
}
