using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Numerics;
using MathNet.Numerics.LinearAlgebra;

namespace MASQuant.Quantization.Tests.Numerics;

public class FactorizationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(201)]
    [InlineData(330)]
    public void Cholesky_factors_multiply_back(int size)
    {
        var gram = RandomMatrices.Gram(RandomMatrices.Activations(2 * size, size, 7));
        var lower = RandomMatrices.FromMathNet(gram);
        Assert.True(Cholesky.TryFactor(lower));
        var factor = lower.ToMathNet();

        // Backward error of Cholesky: at most about K·ε in norm (Higham, theorem 10.3), with room for the norm's constant.
        Assert.True(RandomMatrices.RelativeDistance(gram, factor.TransposeAndMultiply(factor)) <= 10 * size * 2.3e-16);
        Assert.All(Enumerable.Range(1, size - 1), i => Assert.Equal(0, lower[0, i]));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(65)]
    [InlineData(201)]
    public void Cholesky_agrees_with_the_oracle(int size)
    {
        var gram = RandomMatrices.Gram(RandomMatrices.Activations(2 * size, size, 9), damping: 1e-2);
        var lower = RandomMatrices.FromMathNet(gram);
        Assert.True(Cholesky.TryFactor(lower));

        // Each factor is exact for a matrix that differs by at most (K+1)·u·tr(A) (Higham, theorem 10.3); a difference of the matrix comes κ/√2 times as large in the factor (Sun 1991).
        var spectrum = gram.Svd(computeVectors: false).S;
        var bound = 2 * (spectrum[0] / spectrum[^1]) / Math.Sqrt(2) * (size + 1) * 1.12e-16 * spectrum.Sum() / spectrum[0];
        Assert.InRange(bound, 0, 1e-6);
        Assert.True((gram.Cholesky().Factor - lower.ToMathNet()).FrobeniusNorm() <= bound * Math.Sqrt(spectrum[0]));
    }

    [Fact]
    public void Single_precision_cholesky_factors_multiply_back()
    {
        var gram = RandomMatrices.Gram(RandomMatrices.Activations(300, 100, 7), damping: 1e-3);
        var lower = RealMatrix<float>.From(RandomMatrices.FromMathNet(gram).View);
        Assert.True(Cholesky.TryFactor(lower));
        var factor = lower.ToMatrix().ToMathNet();
        Assert.True(RandomMatrices.RelativeDistance(gram, factor.TransposeAndMultiply(factor)) <= 10 * 100 * 1.2e-7);
    }

    [Fact]
    public void Singular_and_indefinite_matrices_are_refused()
    {
        var singular = RandomMatrices.FromMathNet(RandomMatrices.Gram(RandomMatrices.Activations(20, 90, 8)));
        Assert.False(Cholesky.TryFactor(singular));
        var indefinite = RandomMatrices.FromMathNet(Matrix<double>.Build.DenseDiagonal(70, 70, i => i == 69 ? -1 : 1));
        Assert.False(Cholesky.TryFactor(indefinite));
        var notANumber = RandomMatrices.FromMathNet(Matrix<double>.Build.DenseDiagonal(3, 3, i => double.NaN));
        Assert.False(Cholesky.TryFactor(notANumber));
    }

    [Fact]
    public void Damping_grows_until_a_factor_exists()
    {
        var singular = RandomMatrices.FromMathNet(RandomMatrices.Gram(RandomMatrices.Activations(20, 90, 8)));
        var kept = singular.Copy();
        Assert.Null(DampedFactor.TryFactor(ManagedCompute.Instance, kept, damping: 0, retries: 0, out _));
        Assert.Equal(singular.Data, kept.Data);
        var lower = DampedFactor.TryFactor(ManagedCompute.Instance, kept, damping: 0, retries: 3, out var used);
        Assert.NotNull(lower);
        Assert.InRange(used, 1e-10, 1e-7);
        var damped = singular.ToMathNet() + (Matrix<double>.Build.DenseIdentity(90) * (used * singular.ToMathNet().Diagonal().Average()));
        Assert.True(RandomMatrices.RelativeDistance(damped, lower.Lower.ToMathNet().TransposeAndMultiply(lower.Lower.ToMathNet())) <= 10 * 90 * 2.3e-16);
    }

    [Fact]
    public void A_symmetric_matrix_takes_another_order_where_it_lies()
    {
        const int Size = 70;
        var gram = RandomMatrices.FromMathNet(RandomMatrices.Gram(RandomMatrices.Activations(90, Size, 9)));
        int[] order = [.. Enumerable.Range(0, Size).Select(i => i < 3 ? (i + 1) % 3 : i == 3 ? 3 : 4 + ((5 * (i - 4)) % (Size - 4)))];
        var moved = gram.Copy();
        SymmetricOrder.Apply(moved, order);
        Assert.Equal(Size, order.Distinct().Count());
        for (var i = 0; i < Size; i++)
        {
            for (var j = 0; j < Size; j++)
            {
                Assert.Equal(gram[order[i], order[j]], moved[i, j]);
            }
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(65, 300)]
    [InlineData(200, 7)]
    [InlineData(600, 40)]
    public void Triangular_solves_solve(int size, int columns)
    {
        // A dominant diagonal keeps the condition number near 1, so that the residual bound K·ε holds for the solution too.
        var lower = RandomMatrices.Real(size, size, 9);
        for (var i = 0; i < size; i++)
        {
            lower[i, i] = size;
            lower.Row(i)[(i + 1)..].Clear();
        }

        var b = RandomMatrices.Real(size, columns, 10);
        var forward = b.Copy();
        TriangularSolve.Lower(lower, forward);
        Assert.True(RandomMatrices.RelativeDistance(b.ToMathNet(), lower.ToMathNet() * forward.ToMathNet()) <= 10 * size * 2.3e-16);
        var backward = b.Copy();
        TriangularSolve.LowerTransposed(lower, backward);
        Assert.True(RandomMatrices.RelativeDistance(b.ToMathNet(), lower.ToMathNet().Transpose() * backward.ToMathNet()) <= 10 * size * 2.3e-16);
    }
}
