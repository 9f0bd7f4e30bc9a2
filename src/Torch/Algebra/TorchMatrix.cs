using System.Numerics;
using MASQuant.Quantization.Numerics;
using static TorchSharp.torch;

namespace MASQuant.Torch.Algebra;

/// <summary>Matrices of both worlds. What libtorch multiplies lies in its own memory: the bits of its products depend on where rows begin, and an array's place is the garbage collector's.</summary>
internal static class TorchMatrix
{
    /// <summary>A tensor over a matrix's own values, for what is element by element.</summary>
    public static Tensor Shared<T>(RealMatrix<T> matrix)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => Shared(matrix.View);

    /// <summary>A copy on a device, in the precision of <typeparamref name="T"/>.</summary>
    public static Tensor Copy<TSource, T>(MatrixView<TSource> view, Device device)
        where TSource : unmanaged, IBinaryFloatingPointIeee754<TSource>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var shared = Shared(view);
        return empty([view.Rows, view.Columns], TypeOf<T>(), device).copy_(shared);
    }

    /// <summary>A copy on a device.</summary>
    public static Tensor Copy<T>(MatrixView<T> view, Device device)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => Copy<T, T>(view, device);

    /// <summary>A copy on a device.</summary>
    public static Tensor OfSingle(Matrix matrix, Device device) => Copy(matrix.View(), device);

    /// <summary>Copies a tensor into a new matrix.</summary>
    public static RealMatrix<T> ToMatrix<T>(Tensor tensor)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var matrix = new RealMatrix<T>((int)tensor.shape[0], (int)tensor.shape[1]);
        CopyTo(tensor, matrix);
        return matrix;
    }

    /// <summary>Copies a tensor into a matrix of its shape.</summary>
    public static void CopyTo<T>(Tensor tensor, RealMatrix<T> matrix)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var target = Shared(matrix);
        target.copy_(tensor);
    }

    /// <summary>libtorch's name of a precision.</summary>
    public static ScalarType TypeOf<T>() => typeof(T) == typeof(double) ? ScalarType.Float64 : ScalarType.Float32;

    private static Tensor Shared<T>(MatrixView<T> view)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var scope = NewDisposeScope();
        var shared = view.Rows * view.Columns == 0
            ? empty([view.Rows, view.Columns], TypeOf<T>())
            : frombuffer(view.Data, TypeOf<T>()).as_strided([view.Rows, view.Columns], [view.RowStride, view.ColumnStride], view.Offset);
        return shared.MoveToOuterDisposeScope();
    }
}
