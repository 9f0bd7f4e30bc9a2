using System.Numerics;
using MASQuant.Quantization.Numerics;
using static TorchSharp.torch;

namespace MASQuant.Torch;

/// <summary>Matrices of both worlds. On the processor they share memory.</summary>
internal static class TorchMatrix
{
    /// <summary>A tensor over a matrix's own values, on the processor.</summary>
    public static Tensor Shared<T>(RealMatrix<T> matrix)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => matrix.Data.Length == 0 ? zeros([matrix.Rows, matrix.Columns], TypeOf<T>()) : frombuffer(matrix.Data, TypeOf<T>()).view(matrix.Rows, matrix.Columns);

    /// <summary>A tensor over a matrix's own values, on the processor.</summary>
    public static Tensor Shared(Matrix matrix)
        => frombuffer(matrix.Data, ScalarType.Float32, (long)matrix.Rows * matrix.Columns).view(matrix.Rows, matrix.Columns);

    /// <summary>A tensor over the values of a view, on the processor.</summary>
    public static Tensor Shared<T>(MatrixView<T> view)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => frombuffer(view.Data, TypeOf<T>()).as_strided([view.Rows, view.Columns], [view.RowStride, view.ColumnStride], view.Offset);

    /// <summary>Copies a tensor into a new matrix.</summary>
    public static RealMatrix<T> ToMatrix<T>(Tensor tensor)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var matrix = new RealMatrix<T>((int)tensor.shape[0], (int)tensor.shape[1]);
        Copy(tensor, matrix);
        return matrix;
    }

    /// <summary>Copies a tensor into a matrix of its shape.</summary>
    public static void Copy<T>(Tensor tensor, RealMatrix<T> matrix)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (matrix.Data.Length > 0)
        {
            using var target = Shared(matrix);
            target.copy_(tensor).Dispose();
        }
    }

    /// <summary>libtorch's name of a precision.</summary>
    public static ScalarType TypeOf<T>() => typeof(T) == typeof(double) ? ScalarType.Float64 : ScalarType.Float32;
}
