using System.Numerics;
using System.Reflection;
using MASQuant.Quantization.Numerics;
using MASQuant.Tests.Guards;

namespace MASQuant.Quantization.Tests.Guards;

/// <summary>The numerics' loops that read memory without looking, on operands that hold what they are promised and no value more.</summary>
internal static class NumericKernels
{
    private static readonly int[] Lengths = [.. Enumerable.Range(1, 66), 127, 128, 129];

    /// <summary>Loops over rows.</summary>
    public static void Rows<T>(GuardedMemory memory, Action<string> say)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach (var length in Lengths)
        {
            say($"{typeof(T).Name}, {length} values");
            Span<T> x = memory.Span<T>(Ones<T>(length)), y = memory.Span<T>(Ones<T>(length));
            Lanes.Dot<T>(x, y);
            Lanes.AddScaled(T.One, x, y);
            Lanes.Scale(T.One, x);
            Lanes.Butterfly(x, y);
            Lanes.Rotate(T.One, T.One, x, y);
        }
    }

    /// <summary>A few rows with a matrix, whole or its lower triangle.</summary>
    public static void RowsWithMatrix<T>(GuardedMemory memory, Action<string> say)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach (var (p, n) in from p in new[] { 1, 4, 5, 6, 7, 12 } from n in Lengths select (p, n))
        {
            foreach (var (m, lower) in new[] { (1, false), (3, false), (33, false), (n, true) })
            {
                say($"{typeof(T).Name}, [{p}] with [{m}, {n}], lower {lower}");
                var a = Guarded<T>(memory, m, n);
                RowProducts.Dots(Guarded<T>(memory, p, n), a.View, lower);
                RowProducts.Sums(Guarded<T>(memory, p, m), a.View, lower);
                for (var first = 0; first < m; first += RowProducts.PieceRows)
                {
                    RowProducts.AddRows(Guarded<T>(memory, p, m), a.View, Guarded<T>(memory, p, n), (first, Math.Min(RowProducts.PieceRows, m - first)), (0, n), lower);
                }
            }
        }
    }

    /// <summary>Products in every order of storage.</summary>
    public static void Products<T>(GuardedMemory memory, Action<string> say)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach (var (m, k, n) in from m in new[] { 1, 7, 8, 9, 65 } from k in new[] { 1, 3, 257 } from n in new[] { 1, 15, 16, 17, 31, 32, 33, 63 } select (m, k, n))
        {
            say($"{typeof(T).Name}, {m} × {k} × {n}");
            MatrixView<T> a = Guarded<T>(memory, m, k).View, b = Guarded<T>(memory, k, n).View, c = Guarded<T>(memory, m, n).View;
            RealGemm.Accumulate(a, b, c);
            RealGemm.Accumulate(Guarded<T>(memory, k, m).View.Transposed, Guarded<T>(memory, n, k).View.Transposed, c, subtract: true);
            RealGemm.AddRows(Guarded<float>(memory, k, m).View, Guarded<float>(memory, k, n).View, c);
        }

        for (var depth = 1; depth <= 9; depth++)
        {
            say($"{typeof(T).Name}, a tile of depth {depth}");
            var width = 2 * System.Runtime.Intrinsics.Vector512<T>.Count;
            Span<T> a = memory.Span<T>(Ones<T>(depth * RealGemm.TileRows)), b = memory.Span<T>(Ones<T>(depth * width)), sums = memory.Span<T>(Ones<T>(RealGemm.TileRows * width));
            RealGemm.Sums(ref a[0], ref b[0], depth, ref sums[0]);
        }
    }

    private static RealMatrix<T> Guarded<T>(GuardedMemory memory, int rows, int columns)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var matrix = new RealMatrix<T>(rows, columns);
        typeof(RealMatrix<T>).GetField($"<{nameof(matrix.Data)}>k__BackingField", BindingFlags.NonPublic | BindingFlags.Instance)!.SetValue(matrix, memory.Array(Ones<T>(rows * columns)));
        return matrix;
    }

    private static T[] Ones<T>(int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => [.. Enumerable.Repeat(T.One, count)];
}
