using MASQuant.Quantization.Compensation;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Tests.Numerics;
using MASQuant.Quantization.Weights;
using MathNet.Numerics.LinearAlgebra;

namespace MASQuant.Quantization.Tests.Compensation;

public class CrossModalCompensationTests
{
    private static readonly CompensationOptions Exact = new()
    {
        RoundToFloat16 = false,
        Whitening = new WhiteningOptions { Damping = 1e-6 },
        Decomposition = new RandomizedSvdOptions { MaxPowerIterations = 300 },
    };

    [Theory]
    [InlineData(96, 64, 8)]
    [InlineData(48, 96, 8)]
    [InlineData(40, 64, 40)]
    public void The_patch_is_the_whitened_truncated_decomposition(int outputs, int inputs, int rank)
    {
        var x = RandomMatrices.Activations(300, inputs, 1);
        var residual = QuantizationResidual(outputs, inputs, 2);
        var patch = CrossModalCompensation.Create(Gram(x), Exact)!.Compensate(residual, rank);
        var (expected, whitening) = Paper(RandomMatrices.Gram(x, damping: 1e-6), residual.ToMathNet().Transpose(), rank);

        // The bound the project sets itself; FP32 factors alone would allow about 1e-6.
        Assert.True(RandomMatrices.RelativeDistance(whitening * expected, whitening * Product(patch)) <= 1e-4);
    }

    [Fact]
    public void No_other_patch_of_the_rank_does_better()
    {
        var x = RandomMatrices.Activations(300, 64, 3);
        var residual = QuantizationResidual(80, 64, 4);
        var patch = CrossModalCompensation.Create(Gram(x), Exact with { Whitening = new WhiteningOptions { Damping = 0 } })!.Compensate(residual, 8);
        var values = x.ToMathNet();
        var target = values * residual.ToMathNet().Transpose();
        var loss = Math.Pow((target - (values * Product(patch))).FrobeniusNorm(), 2);

        // Theorem 2: what is left is exactly the tail of the spectrum of X·ΔWᵀ. FP32 factors add about 1e-7 of the whole.
        var spectrum = target.Svd(computeVectors: false).S;
        Assert.Equal(spectrum.Skip(8).Sum(value => value * value), loss, 1e-6 * Math.Pow(target.FrobeniusNorm(), 2));
        Assert.Equal(patch.WhitenedEnergy - patch.CapturedEnergy, loss, 1e-6 * patch.WhitenedEnergy);

        // The unwhitened truncation of ΔW is worse.
        var plain = RandomizedSvd.Decompose(residual.View().Transposed, 8);
        var unwhitened = RandomMatrices.RelativeDistance(target, values * plain.LeftRows.ToMatrix().ToMathNet().Transpose() * Scaled(plain));
        Assert.True(unwhitened > 1.02 * Math.Sqrt(loss) / target.FrobeniusNorm());
    }

    [Fact]
    public void Fewer_tokens_than_inputs_leave_a_nearly_optimal_patch()
    {
        const double Damping = 1e-3;
        var x = RandomMatrices.Activations(20, 64, 5);
        var residual = QuantizationResidual(80, 64, 6);
        var patch = CrossModalCompensation.Create(Gram(x), Exact with { Whitening = new WhiteningOptions { Damping = Damping } })!.Compensate(residual, 8);
        var values = x.ToMathNet();
        var target = values * residual.ToMathNet().Transpose();
        var loss = Math.Pow((target - (values * Product(patch))).FrobeniusNorm(), 2);

        // The patch is optimal for the damped norm, in which the undamped optimum E* costs ‖X·E*‖² + δ·‖E*‖²; so it cannot cost more in the undamped one.
        var best = target.Svd();
        var optimum = values.PseudoInverse() * best.U.SubMatrix(0, 20, 0, 8) * Matrix<double>.Build.DenseOfDiagonalVector(best.S.SubVector(0, 8)) * best.VT.SubMatrix(0, 8, 0, 80);
        var error = residual.ToMathNet().Transpose() - optimum;
        var delta = Damping * RandomMatrices.Gram(x).Diagonal().Average();
        Assert.True(loss <= Math.Pow((values * error).FrobeniusNorm(), 2) + (delta * Math.Pow(error.FrobeniusNorm(), 2)));
    }

    [Fact]
    public void The_eigendecomposition_gives_the_same_patch_as_cholesky()
    {
        var x = RandomMatrices.Activations(200, 64, 7);
        var residual = QuantizationResidual(48, 64, 8).View().Transposed;
        var gram = (GramMatrix<double>)Gram(x);
        var damping = new WhiteningOptions { Damping = 1e-3 };
        var products = new[] { WhiteningTransform<double>.Create((GramMatrix<double>)gram.Copy(), damping, ManagedCompute.Instance), new EigenWhitening<double>(gram, 1e-3) }.Select(whitening =>
        {
            var svd = JacobiSvd.Decompose(whitening.Apply(residual).View);
            var left = whitening.Solve(RealMatrix<double>.From(svd.LeftRows.Block(0, 0, 6, 64).Transposed));
            return left.ToMathNet() * Matrix<double>.Build.DenseOfDiagonalArray(svd.Values[..6]) * svd.RightRows.ToMathNet().SubMatrix(0, 6, 0, 48);
        }).ToArray();
        Assert.True(RandomMatrices.RelativeDistance(products[0], products[1]) <= 1e-9);

        // T⁻ᵀ·(TᵀT·B) = T·B for either.
        var eigen = new EigenWhitening<double>(gram, 1e-3);
        var normal = RandomMatrices.FromMathNet(RandomMatrices.Gram(x, damping: 1e-3) * RealMatrix<double>.From(residual).ToMathNet());
        Assert.True(RandomMatrices.RelativeDistance(eigen.Apply(residual).ToMathNet(), eigen.SolveTransposed(normal).ToMathNet()) <= 1e-9);
    }

    [Fact]
    public void A_matrix_without_cholesky_factor_is_whitened_by_its_eigenvalues()
    {
        var gram = new GramMatrix<double>(RandomMatrices.FromMathNet(Matrix<double>.Build.DenseDiagonal(8, 8, i => i == 3 ? -0.01 : 1)), 8);
        var whitening = WhiteningTransform<double>.Create(gram, new WhiteningOptions { Damping = 1e-9, Retries = 2 }, ManagedCompute.Instance);
        Assert.IsType<EigenWhitening<double>>(whitening);
        Assert.All(whitening.Apply(RandomMatrices.Real(8, 2, 1).View).Data, value => Assert.True(double.IsFinite(value)));
    }

    [Fact]
    public void The_output_patch_is_the_reduced_rank_regression()
    {
        var x = RandomMatrices.Activations(300, 48, 9);
        var error = (x.ToMathNet() * RandomMatrices.Real(48, 64, 10).ToMathNet()) + (3 * RandomMatrices.Real(300, 64, 11).ToMathNet());
        var output = RandomMatrices.Single(300, 64, 12);
        var target = RandomMatrices.FromMathNet(error + output.ToMathNet()).ToMatrix();
        var residual = OutputResidual.Create(48, 64);
        residual.Add(x.Top(100), target.Top(100), output.Top(100));
        residual.Add(Bottom(x, 100), Bottom(target, 100), Bottom(output, 100));
        var patch = CrossModalCompensation.Create(Gram(x), Exact with { Whitening = new WhiteningOptions { Damping = 0 } })!.Compensate(residual, QuantizationResidual(64, 48, 22), 5);

        // Reduced-rank regression (Izenman, 1975): the full least-squares fit, its fitted values truncated.
        var values = x.ToMathNet();
        var full = values * values.QR().Solve(error);
        var svd = full.Svd();
        var fitted = svd.U.SubMatrix(0, 300, 0, 5) * Matrix<double>.Build.DenseOfDiagonalVector(svd.S.SubVector(0, 5)) * svd.VT.SubMatrix(0, 5, 0, 64);
        Assert.True(RandomMatrices.RelativeDistance(fitted, values * Product(patch)) <= 1e-4);
        Assert.Equal(Math.Pow(error.FrobeniusNorm(), 2), residual.Energy, 1e-5 * residual.Energy);
        Assert.Equal(300, residual.Tokens);
        Assert.Equal(Math.Pow(fitted.FrobeniusNorm(), 2), patch.CapturedEnergy, 1e-4 * patch.CapturedEnergy);
    }

    [Fact]
    public void Single_precision_agrees_with_double()
    {
        var x = RandomMatrices.Activations(300, 64, 13);
        var residual = QuantizationResidual(48, 64, 14);
        var narrow = new GramMatrix<float>(64);
        narrow.Add(x);
        var options = Exact with { Whitening = new WhiteningOptions { Damping = 1e-3 } };
        var wide = CrossModalCompensation.Create(Gram(x), options)!.Compensate(residual, 48);
        var single = CrossModalCompensation.Create(narrow, options)!.Compensate(residual, 48);

        // At full rank the patch is ΔWᵀ itself; solving in FP32 loses the square root of the condition (below 1e4 by the damping) times ε.
        Assert.True(RandomMatrices.RelativeDistance(residual.ToMathNet().Transpose(), Product(wide)) <= 1e-5);
        Assert.True(RandomMatrices.RelativeDistance(residual.ToMathNet().Transpose(), Product(single)) <= 1e-2);
    }

    [Fact]
    public void Stored_factors_are_balanced_and_float16()
    {
        var x = RandomMatrices.Activations(300, 64, 15);
        var residual = QuantizationResidual(48, 64, 16);
        var exact = CrossModalCompensation.Create(Gram(x), Exact)!.Compensate(residual, 4);
        var rounded = CrossModalCompensation.Create(Gram(x), Exact with { RoundToFloat16 = true })!.Compensate(residual, 4).Factors!;
        Assert.All(rounded.L1.Data.Concat(rounded.L2.Data), value => Assert.Equal((float)(Half)value, value));
        for (var i = 0; i < 4; i++)
        {
            var column = exact.Factors!.L1.ToMathNet().Column(i).L2Norm();
            Assert.Equal(1, exact.Factors.L2.ToMathNet().Row(i).L2Norm() / column, 1e-5);
        }

        // FP16 rounds each factor by at most 2⁻¹¹, entry by entry (normal numbers); the norm of Σ|L1||L2| is at most r^½ times the product's where components are orthogonal.
        Assert.True(RandomMatrices.RelativeDistance(Product(exact), rounded.L1.ToMathNet() * rounded.L2.ToMathNet()) <= 2 * 2 * Math.Pow(2, -11));
    }

    [Fact]
    public void Nothing_to_fit_means_no_patch()
    {
        Assert.Null(CrossModalCompensation.Create(null, Exact));
        Assert.Null(CrossModalCompensation.Create(GramMatrix.Create(16), Exact));
        var compensation = CrossModalCompensation.Create(Gram(RandomMatrices.Activations(30, 16, 17)), Exact)!;
        Assert.Null(compensation.Compensate(QuantizationResidual(8, 16, 18), 0).Factors);
        Assert.Null(compensation.Compensate(new Matrix(8, 16), 4).Factors);
    }

    [Fact]
    public void Whitening_concentrates_the_residual()
    {
        var x = RandomMatrices.Activations(300, 64, 19);
        var residual = QuantizationResidual(64, 64, 20);
        var (plain, whitened) = CrossModalCompensation.Create(Gram(x), Exact)!.Spectra(residual);
        Assert.True(whitened.EffectiveRank < plain.EffectiveRank, $"{whitened.EffectiveRank} {plain.EffectiveRank}");
        var spectrum = residual.ToMathNet().Svd(computeVectors: false).S;
        var p = spectrum / spectrum.Sum();
        Assert.Equal(Math.Exp(-p.Sum(value => value * Math.Log(value))), plain.EffectiveRank, 1e-6);
    }

    [Fact]
    public void The_residual_is_what_the_stored_weight_misses()
    {
        var weight = RandomMatrices.Single(16, 32, 21);
        var own = SmoothingFactor.FromValues([.. Enumerable.Range(1, 32).Select(k => k / 8f)]);
        var shared = SmoothingFactor.Ones(32);
        var codes = new RtnQuantizer().Quantize(shared.ScaleWeight(weight), QuantizationScheme.W4A8);
        var residual = CrossModalCompensation.Residual(weight, own, codes);
        Assert.Equal((weight[3, 5] * own.Values[5]) - codes.Dequantize()[3, 5], residual[3, 5]);
    }

    private static Matrix QuantizationResidual(int outputs, int inputs, ulong seed)
    {
        var weight = RandomMatrices.Single(outputs, inputs, seed);
        return CrossModalCompensation.Residual(weight, SmoothingFactor.Ones(inputs), new RtnQuantizer().Quantize(weight, QuantizationScheme.W4A8));
    }

    // In FP64: what is tested is what follows from it.
    private static GramMatrix Gram(Matrix x) => new GramMatrix<double>(RandomMatrices.FromMathNet(RandomMatrices.Gram(x)), x.Rows);

    private static Matrix Bottom(Matrix matrix, int skipped)
        => new(matrix.Rows - skipped, matrix.Columns, matrix.Data[(skipped * matrix.Columns)..]);

    private static Matrix<double> Product(Patch patch) => patch.Factors!.L1.ToMathNet() * patch.Factors.L2.ToMathNet();

    private static Matrix<double> Scaled(SingularFactors<float> svd)
        => Matrix<double>.Build.DenseOfDiagonalArray(svd.Values) * svd.RightRows.ToMatrix().ToMathNet();

    /// <summary>The paper's own steps in FP64: T = (P·Λ^½)ᵀ, U·Σ·Vᵀ = SVD(T·ΔWᵀ), L1·L2 = T⁻¹·U_r·Σ_r·V_rᵀ.</summary>
    private static (Matrix<double> Product, Matrix<double> Whitening) Paper(Matrix<double> gram, Matrix<double> residual, int rank)
    {
        var eigen = gram.Evd(Symmetricity.Symmetric);
        var whitening = (eigen.EigenVectors * Matrix<double>.Build.DenseOfDiagonalArray([.. eigen.EigenValues.Select(value => Math.Sqrt(value.Real))])).Transpose();
        var svd = (whitening * residual).Svd();
        var truncated = svd.U.SubMatrix(0, gram.RowCount, 0, rank) * Matrix<double>.Build.DenseOfDiagonalVector(svd.S.SubVector(0, rank)) * svd.VT.SubMatrix(0, rank, 0, residual.ColumnCount);
        return (whitening.Inverse() * truncated, whitening);
    }
}
