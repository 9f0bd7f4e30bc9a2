using MASQuant.Engine.Generation;
using MASQuant.Quantization.Numerics;
using MathNet.Numerics.LinearAlgebra;

namespace MASQuant.Quantization.Tests.Numerics;

public class DecompositionTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(90)]
    public void Eigenvalues_and_vectors_reproduce_the_matrix(int size)
    {
        var a = RandomMatrices.Real(size, size, 11).ToMathNet();
        var symmetric = a + a.Transpose();
        var eigen = SymmetricEigen.Decompose(RandomMatrices.FromMathNet(symmetric), vectors: true);
        var rows = eigen.VectorRows!.ToMathNet();

        // Householder and QL are backward stable: errors of a modest multiple of K·ε.
        var bound = 50 * size * 2.3e-16;
        Assert.True((rows.TransposeAndMultiply(rows) - Matrix<double>.Build.DenseIdentity(size)).FrobeniusNorm() <= bound);
        Assert.True(RandomMatrices.RelativeDistance(symmetric, rows.Transpose() * Matrix<double>.Build.DenseOfDiagonalArray(eigen.Values) * rows) <= bound);
        var expected = symmetric.Evd(Symmetricity.Symmetric).EigenValues.Select(value => value.Real).Order().ToArray();
        Assert.All(expected.Zip(eigen.Values), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= bound * symmetric.FrobeniusNorm()));
        Assert.Equal(eigen.Values, SymmetricEigen.Decompose(RandomMatrices.FromMathNet(symmetric), vectors: false).Values);
    }

    [Fact]
    public void Degenerate_matrices_have_their_eigenvalues()
    {
        Assert.Equal(new double[4], SymmetricEigen.Decompose(new RealMatrix<double>(4, 4), vectors: true).Values);
        var identity = RandomMatrices.FromMathNet(Matrix<double>.Build.DenseIdentity(30));
        Assert.All(SymmetricEigen.Decompose(identity, vectors: true).Values, value => Assert.Equal(1, value));
        var gram = RandomMatrices.Gram(RandomMatrices.Activations(5, 40, 12));
        var values = SymmetricEigen.Decompose(RandomMatrices.FromMathNet(gram), vectors: false).Values;
        Assert.All(values[..35], value => Assert.True(Math.Abs(value) <= 1e-12 * values[^1]));
        Assert.True(values[35] > 1e-6 * values[^1]);
        var broken = RandomMatrices.FromMathNet(Matrix<double>.Build.Dense(4, 4, double.NaN));
        Assert.Throws<ArithmeticException>(() => SymmetricEigen.Decompose(broken, vectors: false));
    }

    [Fact]
    public void Rows_become_orthonormal_even_when_nearly_parallel()
    {
        var rows = RandomMatrices.Real(40, 200, 13);
        for (var i = 1; i < 40; i++)
        {
            for (var j = 0; j < 200; j++)
            {
                rows[i, j] = rows[0, j] + (1e-9 * rows[i, j]);
            }
        }

        rows.Row(5).CopyTo(rows.Row(20));
        var original = rows.ToMathNet();
        var coefficients = Orthonormalization.OrthonormalizeRows(rows);
        var q = rows.ToMathNet();
        var gram = q.TransposeAndMultiply(q);
        Assert.Equal(0, gram[20, 20]);
        gram[20, 20] = 1;

        // Two projections leave a few times √K·ε, whatever the condition (here 10⁹).
        Assert.True((gram - Matrix<double>.Build.DenseIdentity(40)).FrobeniusNorm() <= 40 * 200 * 2.3e-16);
        Assert.True(RandomMatrices.RelativeDistance(original, coefficients.ToMathNet() * q) <= 40 * 2.3e-16);
    }

    [Theory]
    [InlineData(20, 50)]
    [InlineData(50, 20)]
    [InlineData(1, 7)]
    public void Jacobi_agrees_with_the_oracle(int rows, int columns)
    {
        var a = RandomMatrices.Real(rows, columns, 14);
        var svd = JacobiSvd.Decompose(a.View);
        var expected = a.ToMathNet().Svd();
        Assert.All(expected.S.Zip(svd.Values), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= 1e-13 * expected.S[0]));
        var product = svd.LeftRows.ToMathNet().Transpose() * Matrix<double>.Build.DenseOfDiagonalArray(svd.Values) * svd.RightRows.ToMathNet();
        Assert.True(RandomMatrices.RelativeDistance(a.ToMathNet(), product) <= 1e-13);
        Assert.All(SingularValues.Of(a.View).Zip(svd.Values), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= 1e-7 * svd.Values[0]));
    }

    [Theory]
    [InlineData(60, 40)]
    [InlineData(40, 60)]
    public void Randomized_products_equal_exact_ones_on_a_flat_spectrum(int rows, int columns)
    {
        // A random matrix has the flattest spectrum there is: two power iterations alone leave about 10 %.
        var a = RandomMatrices.Real(rows, columns, 15);
        var exact = Truncated(a.ToMathNet(), 8);
        var svd = RandomizedSvd.Decompose(a.View, 8, new RandomizedSvdOptions { MaxPowerIterations = 200 });
        Assert.True(RandomMatrices.RelativeDistance(exact, Product(svd)) <= 1e-4);
    }

    [Theory]
    [InlineData(60, 40)]
    [InlineData(40, 60)]
    public void Small_matrices_are_decomposed_exactly(int rows, int columns)
    {
        var a = RandomMatrices.Real(rows, columns, 15);
        var svd = TruncatedSvd.Decompose(a.View, 8);

        // Eigenvectors of A·Aᵀ err by ε·σ₁² over the gap of σ², here about 10⁻².
        Assert.True(RandomMatrices.RelativeDistance(Truncated(a.ToMathNet(), 8), Product(svd)) <= 1e-11);
        Assert.All(a.ToMathNet().Svd().S.Take(8).Zip(svd.Values), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
        var single = TruncatedSvd.Decompose(RealMatrix<float>.From(a.View).View, 8);
        Assert.All(svd.Values.Zip(single.Values), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Fact]
    public void Large_matrices_are_decomposed_by_random_projection()
    {
        // Ten strong directions over noise 10⁻³ as large: the randomized search settles at once.
        var strong = RandomMatrices.Real(TruncatedSvd.MaxExact + 8, 10, 19).ToMathNet() * RandomMatrices.Real(10, TruncatedSvd.MaxExact + 40, 20).ToMathNet();
        var a = strong + (1e-3 * RandomMatrices.Real(strong.RowCount, strong.ColumnCount, 21).ToMathNet());
        var svd = TruncatedSvd.Decompose(RandomMatrices.FromMathNet(a).View, 10);

        // The best rank-10 product is within the noise's norm of either.
        Assert.True((strong - Product(svd)).FrobeniusNorm() <= 2 * (a - strong).FrobeniusNorm());
    }

    [Fact]
    public void A_few_iterations_capture_nearly_all_the_energy()
    {
        var a = RandomMatrices.Real(120, 80, 15);
        var best = a.ToMathNet().Svd().S.Take(16).Sum(value => value * value);
        var captured = RandomizedSvd.Decompose(a.View, 16, new RandomizedSvdOptions { MaxPowerIterations = 2 }).Values.Sum(value => value * value);

        // Halko, Martinsson and Tropp, corollary 10.10: with 2 iterations the spectral error exceeds σ_{r+1} by a factor of at most about (1 + small)^(1/5).
        Assert.InRange(captured, 0.95 * best, best * (1 + 1e-12));
    }

    [Fact]
    public void Randomized_decompositions_depend_on_nothing_but_input_and_seed()
    {
        var a = RandomMatrices.Real(90, 70, 16);
        var first = RandomizedSvd.Decompose(a.View, 8);
        Engine.Tensors.Workers.For(2, _ =>
        {
            // Inside a piece nothing is divided among threads.
            var second = RandomizedSvd.Decompose(a.View, 8);
            Assert.Equal(first.LeftRows.Data, second.LeftRows.Data);
            Assert.Equal(first.RightRows.Data, second.RightRows.Data);
        });

        var other = RandomizedSvd.Decompose(a.View, 8, new RandomizedSvdOptions { Seed = 1 });
        Assert.NotEqual(first.LeftRows.Data, other.LeftRows.Data);
    }

    [Fact]
    public void Rank_deficient_and_zero_matrices_decompose()
    {
        var low = RealMatrix<double>.From(RandomMatrices.FromMathNet(RandomMatrices.Real(60, 3, 17).ToMathNet() * RandomMatrices.Real(3, 50, 18).ToMathNet()).View);
        var svd = RandomizedSvd.Decompose(low.View, 8);
        Assert.True(RandomMatrices.RelativeDistance(low.ToMathNet(), Product(svd)) <= 1e-12);
        Assert.All(RandomizedSvd.Decompose(new RealMatrix<double>(20, 30).View, 4).Values, value => Assert.Equal(0, value));
    }

    [Fact]
    public void Effective_rank_counts_equal_values()
    {
        Assert.Equal(7, EffectiveRank.Of([2, 2, 2, 2, 2, 2, 2, 0]), 12);
        Assert.Equal(1, EffectiveRank.Of([3, 0, 0]), 12);
        Assert.Equal(0, EffectiveRank.Of([0, 0]));

        // p = (¾, ¼): exp(¾·ln(4/3) + ¼·ln 4) = 4 / 3^¾.
        Assert.Equal(4 / Math.Pow(3, 0.75), EffectiveRank.Of([3, 1]), 12);
    }

    [Fact]
    public void Random_numbers_are_xoshiro256()
    {
        // SplitMix64 from 0 fills the state; computed with big integers outside .NET.
        Assert.Equal(0x99EC5F36CB75F2B4UL, new RandomSequence(0).Next());
        var random = new RandomSequence(5);
        Assert.All(Enumerable.Range(0, 1000), _ => Assert.InRange(random.NextSigned(), -1, Math.BitDecrement(1.0)));
    }

    private static Matrix<double> Truncated(Matrix<double> a, int rank)
    {
        var svd = a.Svd();
        return svd.U.SubMatrix(0, a.RowCount, 0, rank) * Matrix<double>.Build.DenseOfDiagonalVector(svd.S.SubVector(0, rank)) * svd.VT.SubMatrix(0, rank, 0, a.ColumnCount);
    }

    private static Matrix<double> Product(SingularFactors<double> svd)
        => svd.LeftRows.ToMathNet().Transpose() * Matrix<double>.Build.DenseOfDiagonalArray(svd.Values) * svd.RightRows.ToMathNet();
}
