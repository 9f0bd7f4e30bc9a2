using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Calibration;

/// <summary>max |x| per channel.</summary>
internal static class ChannelRange
{
    private const int PieceColumns = 512;

    /// <summary>max|w_i| over the weights of an input group, K values.</summary>
    public static float[] Of(BlockWeights weights, InputGroup group)
        => Of(weights.Group(group).Select(linear => linear.ReadMatrix()), weights.Group(group)[0].Linear.Inputs);

    /// <summary>The largest magnitude in each of K columns of all <paramref name="matrices"/>, [N_i, K] each; enumerated once.</summary>
    public static float[] Of(IEnumerable<Matrix> matrices, int inputs)
    {
        var ranges = new float[inputs];
        foreach (var matrix in matrices)
        {
            // Threads take columns; a largest value knows no order.
            Workers.For((inputs + PieceColumns - 1) / PieceColumns, piece =>
            {
                var (start, count) = (piece * PieceColumns, Math.Min(PieceColumns, inputs - (piece * PieceColumns)));
                for (var i = 0; i < matrix.Rows; i++)
                {
                    Widen(ranges.AsSpan(start, count), matrix.Row(i)[start..]);
                }
            });
        }

        return ranges;
    }

    /// <summary>Raises each of the K <paramref name="ranges"/> to the largest magnitude in its column of <paramref name="matrix"/>, [T, K]. NaN propagates.</summary>
    public static void Widen(Span<float> ranges, Matrix matrix)
    {
        for (var i = 0; i < matrix.Rows; i++)
        {
            Widen(ranges, matrix.Row(i));
        }
    }

    /// <summary>The same for one row.</summary>
    public static void Widen(Span<float> ranges, ReadOnlySpan<float> row)
    {
        var largest = MemoryMarshal.Cast<float, Vector512<float>>(ranges);
        var values = MemoryMarshal.Cast<float, Vector512<float>>(row[..ranges.Length]);
        for (var i = 0; i < largest.Length; i++)
        {
            largest[i] = Vector512.Max(largest[i], Vector512.Abs(values[i]));
        }

        for (var k = largest.Length * Vector512<float>.Count; k < ranges.Length; k++)
        {
            ranges[k] = Math.Max(ranges[k], Math.Abs(row[k]));
        }
    }
}
