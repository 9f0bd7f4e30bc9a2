namespace MASQuant.Formats.Safetensors;

/// <summary>Reads tensors of any size one piece after the other.</summary>
public static class TensorPieces
{
    private const int PieceBytes = 1 << 28; // A multiple of every element's size.

    /// <summary>The mapped bytes of a tensor, in order, in pieces of whole elements.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Pieces(this ITensorSource source, TensorInfo tensor)
    {
        for (var start = 0L; start < tensor.Bytes; start += PieceBytes)
        {
            yield return source.Bytes(tensor.Name, start, (int)Math.Min(PieceBytes, tensor.Bytes - start));
        }
    }
}
