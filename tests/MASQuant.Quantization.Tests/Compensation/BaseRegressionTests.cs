using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compensation;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Tests.Numerics;
using MASQuant.Quantization.Weights;
using MathNet.Numerics.LinearAlgebra;

namespace MASQuant.Quantization.Tests.Compensation;

public class BaseRegressionTests
{
    private const int Inputs = 32;
    private const int Outputs = 16;
    private const int Rank = 3;
    private const double Damping = 0.05;
    private static readonly double[] Weights = [2, 1, 0.5];
    private static readonly Modality[] Modalities = Enum.GetValues<Modality>();

    private readonly SmoothingFactors _factors = new([.. Modalities.Select(m => SmoothingFactor.FromValues(RandomMatrices.Single(1, Inputs, 20 + (ulong)m).Data.Select(v => 1.5f + v).ToArray()))]);
    private readonly Matrix[] _inputs = [RandomMatrices.Activations(90, Inputs, 1), RandomMatrices.Activations(50, Inputs, 3), RandomMatrices.Activations(40, Inputs, 5)];
    private readonly Matrix _weight = RandomMatrices.Single(Outputs, Inputs, 7);

    [Fact]
    public void The_target_solves_the_damped_normal_equations()
    {
        var fit = Fit();
        var scaled = _factors.Base.ScaleWeight(_weight);
        var actual = BaseRegression.Create(Statistics(), _factors, Weights, Damping).Targets(fit, [scaled])[0].ToMathNet();

        // The oracle stacks the weighted rows of all modalities and the ridge, and solves by QR.
        var stored = fit.Codes[0].Dequantize().ToMathNet();
        var gram = Matrix<double>.Build.Dense(Inputs, Inputs);
        foreach (var modality in Modalities)
        {
            var z = Smoothed(modality).ToMathNet();
            gram += z.TransposeThisAndMultiply(z) * (Weights[(int)modality] / z.RowCount);
        }

        var ridge = Math.Sqrt(Damping * gram.Diagonal().Average());
        var rows = Matrix<double>.Build.DenseIdentity(Inputs) * ridge;
        var sides = (scaled.ToMathNet() - stored).Transpose() * ridge;
        foreach (var modality in Modalities)
        {
            var root = Math.Sqrt(Weights[(int)modality] / _inputs[(int)modality].Rows);
            rows = rows.Stack(Smoothed(modality).ToMathNet() * root);
            sides = sides.Stack(Left(fit, modality) * root);
        }

        var expected = stored + rows.QR().Solve(sides).Transpose();

        // The Gram matrix is FP64 of FP32 products of FP32 values; its condition is at most K/damping < 10³, so 10³·2⁻⁵³·K of it is lost; then B rounds to FP32.
        Assert.True(RandomMatrices.RelativeDistance(expected, actual) <= 1e-6);
        Assert.True(RandomMatrices.RelativeDistance(stored, actual) > 1e-3, "the regression must move the weight");
    }

    [Fact]
    public void The_noise_behind_a_patch_follows_from_the_gathered_product()
    {
        var fit = Fit();
        foreach (var modality in Modalities)
        {
            // −2⟨P, E⟩ + ‖T·E‖² − δ‖E‖² cancels at most a digit or two; the Gram matrix behind T is a sum of FP32 products, 2⁻²⁴ each.
            var expected = Math.Pow(Left(fit, modality).FrobeniusNorm(), 2);
            Assert.Equal(expected, fit.Patches[0].Noise[(int)modality], 1e-5 * expected);
        }
    }

    [Fact]
    public void A_round_that_costs_text_is_dropped()
    {
        var options = new QuantizationOptions { Alternations = 2, ModalityWeights = Weights };
        var fits = new Queue<GroupFit>([Fit(), Fit(textError: 2), Fit()]);
        var first = fits.Peek();
        var kept = new Alternation(options, Statistics(), _factors, ManagedCompute.Instance).Run([_factors.Base.ScaleWeight(_weight)], _ => fits.Dequeue());
        Assert.Same(first.Codes[0], kept.Codes[0]);

        fits = new Queue<GroupFit>([Fit(textError: 2), Fit(), Fit(textError: 3)]);
        var second = fits.ElementAt(1);
        kept = new Alternation(options, Statistics(), _factors, ManagedCompute.Instance).Run([_factors.Base.ScaleWeight(_weight)], _ => fits.Dequeue());
        Assert.Same(second.Codes[0], kept.Codes[0]);
    }

    private Matrix Smoothed(Modality modality) => _factors[modality].Smooth(_inputs[(int)modality]);

    private ActivationStatistics Statistics()
    {
        var statistics = new ActivationStatistics("test", Inputs);
        foreach (var modality in Modalities)
        {
            statistics.Add(_inputs[(int)modality], new ModalityMap([.. Enumerable.Repeat(modality, _inputs[(int)modality].Rows)]));
        }

        return statistics;
    }

    // What the patch leaves of the output error, FP64.
    private Matrix<double> Left(GroupFit fit, Modality modality)
    {
        var (target, output) = Output(fit.Codes[0], modality, 1);
        var left = (target.ToMathNet() - output.ToMathNet()).Map(v => (double)(float)v);
        return fit.Patches[0].Factors[(int)modality] is { } patch ? left - (Smoothed(modality).ToMathNet() * patch.L1.ToMathNet() * patch.L2.ToMathNet()) : left;
    }

    // A full-precision output that is not the weight's own: text's is off by a constant part, as after earlier quantized blocks.
    private (Matrix Target, Matrix Output) Output(WeightCodes codes, Modality modality, double error)
    {
        var z = Smoothed(modality);
        var target = (_inputs[(int)modality].ToMathNet() * _weight.ToMathNet().Transpose()) * 1.01;
        var output = z.ToMathNet() * codes.Dequantize().ToMathNet().Transpose();
        var left = (target - output) * (modality == Modality.Text ? error : 1);
        return (Single(output + left), Single(output));
    }

    private GroupFit Fit(double textError = 1)
    {
        var codes = new RtnQuantizer().Quantize(_factors.Base.ScaleWeight(_weight), QuantizationScheme.W4A8);
        var residuals = new OutputResidual?[ModalityMap.ModalityCount];
        var patches = new LowRankFactors?[ModalityMap.ModalityCount];
        var noise = new double[ModalityMap.ModalityCount];
        foreach (var modality in Modalities)
        {
            var (target, output) = Output(codes, modality, textError);
            var residual = residuals[(int)modality] = OutputResidual.Create(Inputs, Outputs);
            residual.Add(Smoothed(modality), target, output);
            noise[(int)modality] = residual.Energy;
            if (modality != Modality.Text)
            {
                var gram = (GramMatrix)Statistics().Gram(modality)!.Smooth(_factors[modality].Inverse);
                var compensation = CrossModalCompensation.Create(gram, new CompensationOptions())!;
                patches[(int)modality] = compensation.Compensate(residual, CrossModalCompensation.Residual(_weight, _factors[modality], codes), Rank).Factors;
                noise[(int)modality] += compensation.Change(residual, patches[(int)modality]!);
            }
        }

        return new GroupFit([codes], [new LayerPatches(patches, noise, new(StringComparer.Ordinal), [])], [residuals]);
    }

    private static Matrix Single(Matrix<double> values)
    {
        var matrix = new Matrix(values.RowCount, values.ColumnCount);
        for (var i = 0; i < matrix.Rows; i++)
        {
            for (var j = 0; j < matrix.Columns; j++)
            {
                matrix[i, j] = (float)values[i, j];
            }
        }

        return matrix;
    }
}
