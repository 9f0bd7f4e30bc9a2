using System.Numerics;
using System.Runtime.Intrinsics;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Weights;

/// <summary>Rounds a block of inputs in order, for as many outputs at once as a vector has lanes: every output is rounded by itself, so lanes and their number change nothing.</summary>
/// <param name="weight">[N, K].</param>
/// <param name="order">The inputs in the order in which they are rounded.</param>
/// <param name="upper">M, in that order.</param>
/// <param name="grids">The grids of the weight.</param>
internal sealed class BlockRounding<T>(Matrix weight, int[] order, RealMatrix<T> upper, WeightGrids grids)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Inputs whose errors reach the inputs behind them together.
    private const int Together = 8;

    /// <summary>Outputs that are rounded at once.</summary>
    public static int Lanes => Vector512<T>.Count;

    /// <summary>Rounds a block of inputs.</summary>
    /// <param name="first">The first output.</param>
    /// <param name="start">The place in the order of the first input.</param>
    /// <param name="carried">[N, count]: Σ e_i·M_ij over the inputs before, for each input of the block.</param>
    /// <param name="errors">[N, K] in the order: receives e.</param>
    /// <param name="codes">[N, K].</param>
    /// <param name="sums">[N]: ‖e·M‖² grows by what these inputs add.</param>
    public void Round(int first, int start, MatrixView<T> carried, RealMatrix<T> errors, sbyte[] codes, double[] sums)
    {
        var outputs = Math.Min(Lanes, weight.Rows - first);
        var count = carried.Columns;
        var block = new Block(count);
        Gather(block, first, outputs, start, carried);
        var squares = Vector512<T>.Zero;
        for (var j = 0; j < count; j += Together)
        {
            var next = Math.Min(j + Together, count);
            for (var i = j; i < next; i++)
            {
                RoundInput(block, i, start, ref squares);
                Carry(block, i, i + 1, start, i + 1, next);
            }

            Carry(block, j, next, start, next, count);
        }

        for (var lane = 0; lane < outputs; lane++)
        {
            for (var j = 0; j < count; j++)
            {
                errors[first + lane, start + j] = block.Errors[j][lane];
                codes[((first + lane) * weight.Columns) + order[start + j]] = sbyte.CreateTruncating(block.Codes[j][lane]);
            }

            sums[first + lane] += double.CreateTruncating(squares[lane]);
        }
    }

    // Lanes behind the last output repeat it.
    private void Gather(Block block, int first, int outputs, int start, MatrixView<T> carried)
    {
        Span<T> values = stackalloc T[Lanes], scales = stackalloc T[Lanes], zeros = stackalloc T[Lanes], before = stackalloc T[Lanes];
        for (var j = 0; j < block.Values.Length; j++)
        {
            for (var lane = 0; lane < Lanes; lane++)
            {
                var n = first + Math.Min(lane, outputs - 1);
                var grid = grids[n, order[start + j]];
                values[lane] = T.CreateTruncating(weight[n, order[start + j]]);
                scales[lane] = T.CreateTruncating(grid.Scale);
                zeros[lane] = T.CreateTruncating(grid.ZeroPoint);
                before[lane] = carried.Row(n)[j];
            }

            (block.Values[j], block.Scales[j], block.Zeros[j], block.Carried[j]) = (Vector512.Create<T>(values), Vector512.Create<T>(scales), Vector512.Create<T>(zeros), Vector512.Create<T>(before));
        }
    }

    private void RoundInput(Block block, int j, int start, ref Vector512<T> squares)
    {
        var grid = grids[0, 0];
        var pivot = Vector512.Create(upper[start + j, start + j]);
        var (scale, zero) = (block.Scales[j], block.Zeros[j]);
        var code = Numerics.Lanes.Round((block.Values[j] + (block.Carried[j] / pivot)) / scale) + zero;
        code = Vector512.Min(Vector512.Max(code, Vector512.Create(T.CreateTruncating(grid.Smallest))), Vector512.Create(T.CreateTruncating(grid.Largest)));
        var error = block.Values[j] - ((code - zero) * scale);
        var left = Numerics.Lanes.FusedMultiplyAdd(error, pivot, block.Carried[j]);
        squares = Numerics.Lanes.FusedMultiplyAdd(left, left, squares);
        (block.Codes[j], block.Errors[j]) = (code, error);
    }

    // Adds the errors of inputs [from, to) to what later inputs carry, those of [begin, end).
    private void Carry(Block block, int from, int to, int start, int begin, int end)
    {
        for (var j = begin; j < end; j++)
        {
            var sum = block.Carried[j];
            for (var i = from; i < to; i++)
            {
                sum = Numerics.Lanes.FusedMultiplyAdd(block.Errors[i], Vector512.Create(upper[start + i, start + j]), sum);
            }

            block.Carried[j] = sum;
        }
    }

    private readonly struct Block(int count)
    {
        public readonly Vector512<T>[] Values = new Vector512<T>[count];
        public readonly Vector512<T>[] Scales = new Vector512<T>[count];
        public readonly Vector512<T>[] Zeros = new Vector512<T>[count];
        public readonly Vector512<T>[] Carried = new Vector512<T>[count];
        public readonly Vector512<T>[] Errors = new Vector512<T>[count];
        public readonly Vector512<T>[] Codes = new Vector512<T>[count];
    }
}
