using MASQuant.Engine.Tensors;
using MASQuant.Quantization.Compensation;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Tests.Numerics;
using MathNet.Numerics.LinearAlgebra;

namespace MASQuant.Quantization.Tests.Compensation;

/// <summary>The regression on outputs between its limits: the known weight residual where there is no data, least squares where there is much.</summary>
public class PriorTests
{
    private const int Inputs = 24;
    private const int Outputs = 32;
    private const int FullRank = 24;
    private readonly Matrix _prior = RandomMatrices.Single(Outputs, Inputs, 1);

    // FP32 factors at a condition below 10³ (the ridge sees to it) keep five digits.
    private const double Rounding = 1e-4;

    [Theory]
    [InlineData(5, 3.0)]
    [InlineData(400, 50.0)]
    public void The_patch_solves_the_ridge_regression_towards_the_weight_residual(int tokens, double priorTokens)
    {
        var (x, residual, error) = Sample(tokens);
        var ridge = Math.Sqrt(Delta(x, priorTokens));

        // The oracle: τ tokens' worth of rows √δ·I whose error is √δ·ΔWᵀ, stacked below the samples' and solved by QR.
        var rows = x.ToMathNet().Stack(Matrix<double>.Build.DenseIdentity(Inputs) * ridge);
        var sides = error.Stack(_prior.ToMathNet().Transpose() * ridge);
        var expected = rows.QR().Solve(sides);
        Assert.True(RandomMatrices.RelativeDistance(expected, Product(Fit(x, residual, priorTokens, FullRank))) <= Rounding);

        // At a lower rank: of the fitted values of all rows, the leading part (Izenman, 1975).
        var svd = (rows * expected).Svd();
        var leading = svd.U.SubMatrix(0, rows.RowCount, 0, 4) * Matrix<double>.Build.DenseOfDiagonalVector(svd.S.SubVector(0, 4)) * svd.VT.SubMatrix(0, 4, 0, Outputs);
        Assert.True(RandomMatrices.RelativeDistance(leading, rows * Product(Fit(x, residual, priorTokens, 4))) <= Rounding);
    }

    [Fact]
    public void Few_tokens_leave_the_weight_residual()
    {
        var (x, residual, error) = Sample(tokens: 2);
        const double PriorTokens = 1e6;
        var product = Product(Fit(x, residual, PriorTokens, FullRank));
        var wanted = _prior.ToMathNet().Transpose();

        // B − ΔWᵀ = (ZᵀZ + δ)⁻¹·Zᵀ·(R − Z·ΔWᵀ), and σ/(σ² + δ) ≤ 1/(2√δ).
        var bound = (error - (x.ToMathNet() * wanted)).FrobeniusNorm() / (2 * Math.Sqrt(Delta(x, PriorTokens)));
        Assert.True(bound < 0.01 * wanted.FrobeniusNorm(), "the case must be near its limit");
        Assert.True((product - wanted).FrobeniusNorm() <= bound + (Rounding * wanted.FrobeniusNorm()));
    }

    [Fact]
    public void Many_tokens_leave_least_squares()
    {
        var (x, residual, error) = Sample(RandomMatrices.Single(4000, Inputs, 3));
        const double PriorTokens = 40;
        var product = Product(Fit(x, residual, PriorTokens, FullRank));
        var squares = x.ToMathNet().QR().Solve(error);

        // B − B_ls = δ·(ZᵀZ + δ)⁻¹·(ΔWᵀ − B_ls).
        var delta = Delta(x, PriorTokens);
        var smallest = RandomMatrices.Gram(x).Evd(Symmetricity.Symmetric).EigenValues.Min(value => value.Real);
        var bound = delta / (smallest + delta) * (_prior.ToMathNet().Transpose() - squares).FrobeniusNorm();
        Assert.True(bound < 0.02 * (_prior.ToMathNet().Transpose() - squares).FrobeniusNorm(), "the case must be near its limit");
        Assert.True((product - squares).FrobeniusNorm() <= bound + (Rounding * squares.FrobeniusNorm()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    public void A_factor_smooths_and_rotates_the_prior_like_the_samples(int rotationBlock)
    {
        var (x, residual, _) = Sample(tokens: 60);
        var factor = SmoothingFactor.FromValues([.. Enumerable.Range(0, Inputs).Select(k => 0.5f + (k % 5))]);
        var raw = GramMatrix.Create(Inputs);
        raw.Add(factor.ScaleWeight(rotationBlock == 0 ? x : BlockHadamard.Rotate(x, rotationBlock))); // X = Z·H·s, H its own inverse.
        var expected = Product(Fit(x, residual, 20, FullRank));
        var actual = Product(CrossModalCompensation.Create(raw, Options(20), factor.Rotated(rotationBlock))!.Compensate(residual, _prior, FullRank));
        Assert.True(RandomMatrices.RelativeDistance(expected, actual) <= Rounding);
    }

    // R: a linear part that differs from the weight residual's, and noise.
    private static (Matrix X, OutputResidual Residual, Matrix<double> Error) Sample(int tokens) => Sample(RandomMatrices.Activations(tokens, Inputs, 3));

    private static (Matrix X, OutputResidual Residual, Matrix<double> Error) Sample(Matrix x)
    {
        var error = (x.ToMathNet() * RandomMatrices.Real(Inputs, Outputs, 5).ToMathNet()) + (3 * RandomMatrices.Real(x.Rows, Outputs, 6).ToMathNet());
        var target = RandomMatrices.FromMathNet(error).ToMatrix();
        var residual = OutputResidual.Create(Inputs, Outputs);
        residual.Add(x, target, new Matrix(x.Rows, Outputs));
        return (x, residual, target.ToMathNet());
    }

    private static double Delta(Matrix x, double priorTokens) => priorTokens / x.Rows * RandomMatrices.Gram(x).Diagonal().Average();

    private static CrossModalCompensation Compensation(Matrix x, double priorTokens)
    {
        var gram = GramMatrix.Create(Inputs);
        gram.Add(x);
        return CrossModalCompensation.Create(gram, Options(priorTokens))!;
    }

    private static CompensationOptions Options(double priorTokens) => new()
    {
        PriorTokens = priorTokens,
        RoundToFloat16 = false,
        Whitening = new WhiteningOptions { Damping = 0 },
        Decomposition = new RandomizedSvdOptions { MaxPowerIterations = 300 },
    };

    private Patch Fit(Matrix x, OutputResidual residual, double priorTokens, int rank) => Compensation(x, priorTokens).Compensate(residual, _prior, rank);

    private static Matrix<double> Product(Patch patch) => patch.Factors!.L1.ToMathNet() * patch.Factors.L2.ToMathNet();
}
