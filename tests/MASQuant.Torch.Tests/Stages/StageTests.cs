using MASQuant.Engine.Tensors;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Tests.Numerics;
using MathNet.Numerics.LinearAlgebra;
using MASQuant.Torch.Algebra;
using TorchSharp;

namespace MASQuant.Torch.Tests.Stages;

/// <summary>Every stage on libtorch's processor beside the managed one. Both round, so bounds are twice those of one.</summary>
public class StageTests
{
    private const double Double = 2.3e-16 / 2;
    private const double Single = 1.2e-7 / 2;
    private static readonly TorchCompute Torch = new(torch.CPU);

    // |fl(Σ x·y) − Σ x·y| ≤ n·u·Σ|x||y| (Higham, 3.5), n products in FP32: 1024 rows at libtorch, 256 in managed code. The sum of sums is in FP64.
    [TorchTheory]
    [InlineData(200, 5, 5, true)]
    [InlineData(2500, 330, 330, true)]
    [InlineData(1100, 1100, 1100, true)]
    [InlineData(1500, 130, 70, false)]
    public void Sums_over_rows_are_equal(int rows, int inputs, int outputs, bool lowerOnly)
    {
        var a = RandomMatrices.Activations(rows, inputs, 3);
        var b = lowerOnly ? a : RandomMatrices.Single(rows, outputs, 4);
        var (expected, actual) = (Sum(ManagedCompute.Instance, a, b, outputs, lowerOnly), Sum(Torch, a, b, outputs, lowerOnly));
        var room = Absolute(a).TransposeThisAndMultiply(Absolute(b)) * ((1024 + 256) * Single);
        for (var i = 0; i < inputs; i++)
        {
            for (var j = 0; j < (lowerOnly ? i + 1 : outputs); j++)
            {
                Assert.InRange(actual[i, j] - expected[i, j], -room[i, j], room[i, j]);
            }
        }

        // Pieces above the diagonal are no work.
        Assert.Equal(lowerOnly && inputs > 1024, actual[0, outputs - 1] == 0);
    }

    [TorchTheory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(TorchCholesky.Block + 1)]
    [InlineData(800)]
    public void Factors_multiply_back(int size)
    {
        var gram = RandomMatrices.Gram(RandomMatrices.Activations(2 * size, size, 7));
        var lower = RandomMatrices.FromMathNet(gram);
        for (var i = 0; i < size; i++)
        {
            lower.Data.AsSpan((i * size) + i + 1, size - i - 1).Fill(double.NaN); // does not count
        }

        var factor = Torch.TryFactor(lower)!.Lower.ToMathNet();

        // About K·ε in norm (Higham, theorem 10.3), with room for the norm's constant, as for the managed factor.
        Assert.True(RandomMatrices.RelativeDistance(gram, factor.TransposeAndMultiply(factor)) <= 10 * size * 2 * Double);
        for (var i = 0; i < size; i++)
        {
            Assert.True(factor[i, i] > 0);
            Assert.All(Enumerable.Range(i + 1, size - i - 1), j => Assert.Equal(0, factor[i, j]));
        }
    }

    // As FactorizationTests of managed code: what that refuses is refused here.
    [TorchFact]
    public void Singular_indefinite_and_infinite_matrices_have_no_factor()
    {
        Assert.Null(Torch.TryFactor(RandomMatrices.FromMathNet(RandomMatrices.Gram(RandomMatrices.Activations(20, 90, 8)))));
        Assert.Null(Torch.TryFactor(RandomMatrices.FromMathNet(RandomMatrices.Gram(RandomMatrices.Activations(200, 600, 8)))));
        Assert.Null(Torch.TryFactor(RandomMatrices.FromMathNet(Matrix<double>.Build.DenseOfArray(new double[,] { { 1, 2 }, { 2, 1 } }))));
        Assert.Null(Torch.TryFactor(RandomMatrices.FromMathNet(Matrix<double>.Build.DenseOfArray(new[,] { { 1, 1 }, { 1, double.BitIncrement(1) } })))); // a pivot of rounding noise
        Assert.Null(Torch.TryFactor(RandomMatrices.FromMathNet(Matrix<double>.Build.DenseOfArray(new[,] { { double.NaN, 0 }, { 0, 1 } }))));
        Assert.Null(Torch.TryFactor(RandomMatrices.FromMathNet(Matrix<double>.Build.DenseOfArray(new[,] { { double.PositiveInfinity, 0 }, { 0, 1 } }))));
    }

    [TorchTheory]
    [InlineData(1, 3)]
    [InlineData(200, 40)]
    [InlineData((2 * TorchCholesky.Block) + 9, 70)]
    public void Solves_and_products_are_equal(int size, int columns)
    {
        var lower = RandomMatrices.FromMathNet(RandomMatrices.Gram(RandomMatrices.Activations(4 * size, size, 9), damping: 1e-2));
        var (expected, actual) = (ManagedCompute.Instance.TryFactor(lower.Copy())!, Torch.TryFactor(lower.Copy())!);
        var b = RandomMatrices.Real(size, columns, 10);
        var factor = expected.Lower.ToMathNet();

        // The factors differ by K·ε·κ(A) relative to L (Sun, 1991), and each solve adds K·ε·κ(L) ≤ K·ε·κ(A); 10 for the norm's constants.
        var bound = 10 * size * 2 * Double * Math.Pow(factor.ConditionNumber(), 2);
        Assert.True(bound < 1e-6);
        Close(Solved(expected.Solve, b), Solved(actual.Solve, b), bound);
        Close(Solved(expected.SolveTransposed, b), Solved(actual.SolveTransposed, b), bound);
        Close(expected.MultiplyTransposed(b.View), actual.MultiplyTransposed(b.View), bound);
        Close(expected.MultiplyTransposed(b.Block(0, 1, size, columns - 1)), actual.MultiplyTransposed(b.Block(0, 1, size, columns - 1)), bound);
        Close(expected.MultiplyTransposed(b.ToMatrix().View()), actual.MultiplyTransposed(b.ToMatrix().View()), bound);
    }

    // The captured energy of a truncated decomposition: both searches end when an iteration changes the product by at most 1e-5 of its norm (1e-3 in FP32), so energies agree to a few times its square;
    // 20 covers the geometric rest of a slowly settling search, which ratios of neighbouring values up to 0.9 give.
    [TorchTheory]
    [InlineData(40, 90, 8)]
    [InlineData(90, 40, 40)]
    [InlineData(700, 600, 16)]
    [InlineData(600, 1100, 12)]
    public void Decompositions_capture_the_same_energy(int rows, int columns, int rank)
    {
        var a = RandomMatrices.FromMathNet(RandomMatrices.Real(rows, 30, 11).ToMathNet() * RandomMatrices.Real(30, columns, 12).ToMathNet() + (RandomMatrices.Real(rows, columns, 13).ToMathNet() * 0.3));
        Check(a, rank, 20 * 1e-5 * 1e-5 + (100 * Double), 100 * Double);
        Check(RealMatrix<float>.From(a.View), rank, 20 * 1e-3 * 1e-3, 1000 * Single);
    }

    // Whatever a vector of the value 0 is, it is no NaN, and the product is the matrix (K·ε of its norm).
    [TorchFact]
    public void Matrices_of_less_rank_have_values_of_zero()
    {
        var a = new RealMatrix<double>(3, 5);
        a[1, 2] = 4;
        var triples = Torch.Decompose(a.View, 2, new RandomizedSvdOptions());
        Assert.Equal([4, 0], triples.Values);
        Assert.All(triples.LeftRows.Data.Concat(triples.RightRows.Data), value => Assert.InRange(value, -1 - (5 * Double), 1 + (5 * Double)));
        Assert.Equal(4, triples.Values[0] * triples.LeftRows[0, 1] * triples.RightRows[0, 2], 5 * 4 * Double);
    }

    [TorchFact]
    public void Bytes_are_the_same_for_any_number_of_threads()
    {
        var x = RandomMatrices.Activations(1500, 700, 5);
        var expected = Everything(x, threads: 1);
        foreach (var threads in new[] { 2, 3, 5, 8 })
        {
            Assert.Equal(expected, Everything(x, threads));
        }

        // What is called from a piece of the workers computes its own pieces one after the other.
        double[]? alone = null;
        Workers.For(2, piece => alone = piece == 0 ? Everything(x, threads: 3) : alone);
        Assert.Equal(expected, alone);
    }

    // Of tensors outside a scope nothing but the garbage collector knows when libtorch has read them.
    [TorchFact]
    public void No_tensor_is_made_outside_a_scope()
    {
        var x = RandomMatrices.Activations(900, 300, 5);
        var before = DisposeScopeManager.Statistics.TensorStatistics.CreatedOutsideScopeCount;
        Everything(x, threads: 1);
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.CreatedOutsideScopeCount);
    }

    // Each step begins with as many threads as an environment may say.
    private static double[] Everything(Matrix x, int threads)
    {
        torch.set_num_threads(threads);
        var gram = Sum(Torch, x, x, x.Columns, lowerOnly: true);
        for (var i = 0; i < gram.Rows; i++)
        {
            gram[i, i] *= 1.01;
        }

        torch.set_num_threads(threads);
        var factor = Torch.TryFactor(gram.Copy())!;
        var b = RandomMatrices.Real(x.Columns, 900, 6);
        torch.set_num_threads(threads);
        factor.SolveTransposed(b);
        torch.set_num_threads(threads);
        var triples = Torch.Decompose(b.View, 12, new RandomizedSvdOptions());
        var small = Torch.Decompose(b.Block(0, 0, 300, 900), 12, new RandomizedSvdOptions());
        return [.. gram.Data, .. factor.Lower.Data, .. b.Data, .. triples.LeftRows.Data, .. triples.Values, .. triples.RightRows.Data, .. small.LeftRows.Data];
    }

    private static void Check<T>(RealMatrix<T> a, int rank, double energyBound, double orthogonality)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        var expected = ManagedCompute.Instance.Decompose(a.View, rank, new RandomizedSvdOptions());
        foreach (var (view, transposed) in new[] { (a.View, false), (a.View.Transposed, true) })
        {
            var actual = Torch.Decompose(view, rank, new RandomizedSvdOptions());
            Assert.Equal((rank, view.Rows, view.Columns), (actual.Rank, actual.LeftRows.Columns, actual.RightRows.Columns));
            var (left, right) = (RealMatrix<double>.From(actual.LeftRows.View).ToMathNet(), RealMatrix<double>.From(actual.RightRows.View).ToMathNet());
            var identity = Matrix<double>.Build.DenseIdentity(rank);
            Assert.True((left.TransposeAndMultiply(left) - identity).FrobeniusNorm() <= rank * orthogonality);

            // What the product of the triples leaves of A, which is what a patch leaves.
            var whole = RealMatrix<double>.From(view).ToMathNet();
            var rest = whole - (left.Transpose() * Matrix<double>.Build.DenseOfDiagonalArray(actual.Values) * right);
            var total = Math.Pow(whole.FrobeniusNorm(), 2);
            var captured = total - Math.Pow(rest.FrobeniusNorm(), 2);
            Assert.InRange((captured - expected.Values.Sum(value => value * value)) / total, -energyBound, energyBound);
        }
    }

    private static RealMatrix<double> Sum(ICompute compute, Matrix a, Matrix b, int outputs, bool lowerOnly)
    {
        var total = new RealMatrix<double>(a.Columns, outputs);
        var sum = compute.SumInto(total, lowerOnly);
        for (var start = 0; start < a.Rows; start += 1024)
        {
            var count = Math.Min(1024, a.Rows - start);
            sum.Add(Rows(a, start, count), Rows(b, start, count));
        }

        sum.Add(new Matrix(0, a.Columns), new Matrix(0, b.Columns)); // of a modality that no token has

        sum.Finish();
        sum.Finish(); // adds nothing again
        return total;
    }

    private static Matrix Rows(Matrix x, int start, int count) => new(count, x.Columns, x.Data.AsSpan(start * x.Columns, count * x.Columns).ToArray());

    private static Matrix<double> Absolute(Matrix x) => x.ToMathNet().PointwiseAbs();

    private static RealMatrix<double> Solved(Action<RealMatrix<double>> solve, RealMatrix<double> b)
    {
        var x = b.Copy();
        solve(x);
        return x;
    }

    private static void Close(RealMatrix<double> expected, RealMatrix<double> actual, double bound)
        => Assert.True(RandomMatrices.RelativeDistance(expected.ToMathNet(), actual.ToMathNet()) <= bound);
}
