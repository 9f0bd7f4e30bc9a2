using TorchSharp;

namespace MASQuant.TorchSharp;

/// <summary>Matrices, which models give and take, as tensors.</summary>
public static class TensorExtensions
{
    /// <summary>A tensor of its own, [rows, columns] in FP32 on the processor, with a matrix's values.</summary>
    /// <exception cref="ArgumentException">It is larger than 2 GiB.</exception>
    /// <exception cref="MASQuantException">MASQ0517: libtorch is missing or cannot be loaded.</exception>
    public static torch.Tensor ToTensor(this Matrix matrix)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        TensorRows.RequireSpan(matrix.Span.Length, nameof(matrix));
        Libtorch.Require();
        var tensor = torch.empty(matrix.Rows, matrix.Columns, torch.ScalarType.Float32, torch.CPU);
        matrix.Span.CopyTo(TensorRows.Values(tensor));
        return tensor;
    }

    /// <summary>A matrix of its own with the values of a tensor: its last dimension is the columns, all others together are the rows.</summary>
    /// <param name="tensor">FP32, BF16 or FP16, on the processor.</param>
    /// <exception cref="ArgumentException">It is none of these, has no dimension, or is larger than 2 GiB.</exception>
    public static Matrix ToMatrix(this torch.Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using var rows = TensorRows.Of(tensor, nameof(tensor));
        var columns = checked((int)rows.shape[^1]);
        return new Matrix(columns == 0 ? 0 : (int)(rows.numel() / columns), columns, TensorRows.Values(rows).ToArray());
    }
}
