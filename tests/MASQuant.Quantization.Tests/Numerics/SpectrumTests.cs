using MASQuant.Quantization.Compensation;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Tests.Numerics;

public class SpectrumTests
{
    private const int Size = 560;
    private const int Probes = 8;

    // Quadrature of √λ down to λ = 0 with 24 nodes; everything else is the probes' noise.
    private const double QuadratureError = 0.005;

    public static TheoryData<string> Spectra => ["flat", "ramp", "power", "few", "low rank"];

    [Theory]
    [MemberData(nameof(Spectra))]
    public void An_estimate_is_as_near_as_its_probes_allow(string kind)
    {
        var values = Values(kind);
        var spectrum = Spectrum.Of(WithSingularValues(values, 601).ToMatrix().View());
        var expected = EffectiveRank.Of(values);

        Assert.Equal(Size, spectrum.Count);
        Assert.True(Math.Abs(Math.Log(spectrum.EffectiveRank / expected)) <= Tolerance(values), $"{spectrum.EffectiveRank} for {expected}");

        // Ritz values lie below; of the ramp, the flattest that still falls, four iterations reach a degree that leaves (24/560)/4 of its range.
        Assert.InRange(spectrum.At(0), 0.98 * values[0], 1.001 * values[0]);
        Assert.InRange(spectrum.RelativeError, 0, Tolerance(values));
    }

    [Fact]
    public void Whitened_spectra_need_no_product()
    {
        var x = RandomMatrices.Activations(700, Size, 7);
        var gram = GramMatrix.Create(Size);
        gram.Add(x);
        var compensation = CrossModalCompensation.Create(gram, new CompensationOptions())!;
        foreach (var outputs in new[] { 530, 640 })
        {
            var residual = RandomMatrices.Single(outputs, Size, 8);
            var whitening = new CompensationOptions().Whitening.Damping;
            var lower = RandomMatrices.Gram(x, whitening).Cholesky().Factor;
            var values = (lower.Transpose() * residual.ToMathNet().Transpose()).Svd(computeVectors: false).S.ToArray();

            var (_, whitened) = compensation.Spectra(residual);
            Assert.Equal(Math.Min(outputs, Size), whitened.Count);
            Assert.True(Math.Abs(Math.Log(whitened.EffectiveRank / EffectiveRank.Of(values))) <= Tolerance(values), $"{whitened.EffectiveRank} for {EffectiveRank.Of(values)}");
        }
    }

    [Fact]
    public void Small_matrices_have_exact_spectra()
    {
        var a = RandomMatrices.Single(40, 30, 3);
        var expected = a.ToMathNet().Svd(computeVectors: false).S.ToArray();
        var spectrum = Spectrum.Of(a.View());
        Assert.Equal(0, spectrum.RelativeError);
        Assert.Equal(30, spectrum.Count);

        // Roots of eigenvalues keep half of FP64's digits.
        Assert.All(Enumerable.Range(0, 30), i => Assert.Equal(expected[i], spectrum.At(i), 1e-7 * expected[0]));
        Assert.Equal(EffectiveRank.Of(expected), spectrum.EffectiveRank, 1e-6);
    }

    [Fact]
    public void A_matrix_of_zeros_has_effective_rank_0()
    {
        var spectrum = Spectrum.Of(new RealMatrix<float>(600, 520).View);
        Assert.Equal(0, spectrum.EffectiveRank);
        Assert.Equal(0, spectrum.At(5));
        Assert.Equal(520, spectrum.Count);
    }

    private static double[] Values(string kind) => [.. Enumerable.Range(0, Size).Select(i => kind switch
    {
        "flat" => 1,
        "ramp" => 1 - (i / (double)Size),
        "power" => 1 / (i + 1.0),
        "few" => i < 6 ? 100 - i : 0.2,
        _ => i < 15 ? 3 - (0.1 * i) : 0,
    })];

    /// <summary>d log r = Σ dσ_i·g_i with g = σ·(1 − log σ + E/S)/S. The trace of g is estimated by 8 sign probes, whose variance is at most 2‖g‖²/8 (Hutchinson); four deviations. What the leading values
    /// take out of the trace only lowers this.</summary>
    private static double Tolerance(double[] values)
    {
        var total = values.Sum();
        var weighted = values.Sum(value => value > 0 ? value * Math.Log(value) : 0);
        var resolved = values[30] < 0.1 * values[0] ? 24 : 0; // Where values fall off, the subspace holds the leading ones exactly.
        var energy = values.Skip(resolved).Sum(value => value > 0 ? Math.Pow(value * (1 - Math.Log(value) + (weighted / total)) / total, 2) : 0);
        return (4 * Math.Sqrt(2.0 / Probes * energy)) + QuadratureError;
    }

    /// <summary>U·Σ·Vᵀ, [n, columns].</summary>
    private static RealMatrix<double> WithSingularValues(double[] values, int columns)
    {
        var left = RandomMatrices.Real(values.Length, values.Length, 21);
        var right = RandomMatrices.Real(values.Length, columns, 22);
        Orthonormalization.OrthonormalizeRows(left);
        Orthonormalization.OrthonormalizeRows(right);
        for (var i = 0; i < values.Length; i++)
        {
            Scale(right.Row(i), values[i]);
        }

        return RealGemm.Multiply<double, double, double>(left.View.Transposed, right.View);
    }

    private static void Scale(Span<double> row, double factor)
    {
        for (var i = 0; i < row.Length; i++)
        {
            row[i] *= factor;
        }
    }
}
