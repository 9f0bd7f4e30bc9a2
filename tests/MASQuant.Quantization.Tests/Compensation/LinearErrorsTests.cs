using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compensation;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Smoothing;
using MASQuant.Quantization.Tests.Numerics;
using MASQuant.Quantization.Weights;

namespace MASQuant.Quantization.Tests.Compensation;

/// <summary>The whole method on one layer, measured through the backend that defines the runtime's arithmetic.</summary>
public class LinearErrorsTests
{
    private const int Inputs = 128;
    private const int Outputs = 48;
    private static readonly ScalarGemmBackend Backend = new();

    // Three modalities whose strong channels differ.
    private readonly ModalityMap _modalities = new([.. Enumerable.Range(0, 300).Select(t => (Modality)(t % 3))]);
    private readonly Matrix _x = RandomMatrices.Activations(300, Inputs, 1);
    private readonly Matrix _weight = RandomMatrices.Single(Outputs, Inputs, 2);
    private readonly Matrix _target = new(300, Outputs);
    private readonly ActivationStatistics _statistics = new("test", Inputs);

    public LinearErrorsTests()
    {
        for (var t = 0; t < 300; t++)
        {
            for (var k = t % 3; k < Inputs; k += 16)
            {
                _x[t, k] *= 20;
            }
        }

        _statistics.Add(_x, _modalities);
        FloatGemm.MultiplyTransposed(_x, _weight, [], _target);
    }

    [Theory]
    [InlineData("W4A8")]
    [InlineData("W4A16")]
    public void Patches_raise_the_sqnr_of_their_modality_and_leave_text_alone(string name)
    {
        Assert.True(QuantizationScheme.TryParse(name, out var scheme));
        var factors = SmoothingInitialization.ModalityAware(_statistics, [_weight], DeviatingChannels.Pick(_statistics, -1));
        var codes = GptqQuantizer.Create(_statistics.SmoothedGram(factors, [1, 1, 1])).Quantize(factors.Base.ScaleWeight(_weight), scheme);
        var tokens = new PreparedTokens();
        Backend.Prepare(_x, _modalities, factors.Input, scheme, tokens);
        var unpatched = new Matrix(300, Outputs);
        Backend.Multiply(tokens, codes.Pack(), unpatched);

        var byWeight = new LowRankFactors?[ModalityMap.ModalityCount];
        var byOutput = new LowRankFactors?[ModalityMap.ModalityCount];
        foreach (var modality in new[] { Modality.Vision, Modality.Audio })
        {
            var compensation = CrossModalCompensation.Create(_statistics.Gram(modality)!.Smooth(factors[modality].Inverse), new CompensationOptions())!;
            var prior = CrossModalCompensation.Residual(_weight, factors[modality], codes);
            byWeight[(int)modality] = compensation.Compensate(prior, 16).Factors;
            var residual = OutputResidual.Create(Inputs, Outputs);
            residual.Add(ModalityRows.Select(tokens.Smoothed, _modalities, modality), ModalityRows.Select(_target, _modalities, modality), ModalityRows.Select(unpatched, _modalities, modality));
            byOutput[(int)modality] = compensation.Compensate(residual, prior, 16).Factors;
        }

        var weightErrors = Measure(tokens, codes.Pack(patches: byWeight));
        var outputErrors = Measure(tokens, codes.Pack(patches: byOutput));
        foreach (var modality in new[] { Modality.Vision, Modality.Audio })
        {
            var (byWeightSqnr, byOutputSqnr) = (weightErrors.Sqnr(modality)!, outputErrors.Sqnr(modality)!);
            Assert.True(byWeightSqnr.After > byWeightSqnr.Before, $"{modality}: {byWeightSqnr}");

            // The regression on the output is the best patch for just this measure. BF16 factors (2⁻⁹ each) put noise some 50 dB below the patch's output, which moves an SQNR of 32 dB by less than 0.1.
            Assert.True(byOutputSqnr.After > byWeightSqnr.After - 0.1, $"{modality}: {byOutputSqnr} against {byWeightSqnr}");
            Assert.Equal(Noise(unpatched, modality), byWeightSqnr.Before, 1e-9);
        }

        var text = outputErrors.Sqnr(Modality.Text)!;
        Assert.Equal(text.Before, text.After);
    }

    [Fact]
    public void Modality_aware_factors_with_patches_beat_a_uniform_factor()
    {
        var uniform = SmoothingInitialization.Uniform(_statistics, [_weight]);
        var aware = SmoothingInitialization.ModalityAware(_statistics, [_weight], DeviatingChannels.Pick(_statistics, -1));
        var uniformSqnr = Text(uniform);
        Assert.True(Text(aware) > uniformSqnr);

        double Text(SmoothingFactors factors)
        {
            var tokens = new PreparedTokens();
            Backend.Prepare(_x, _modalities, factors.Input, QuantizationScheme.W4A8, tokens);
            return Measure(tokens, new RtnQuantizer().Quantize(factors.Base.ScaleWeight(_weight), QuantizationScheme.W4A8).Pack()).Sqnr(Modality.Text)!.After;
        }
    }

    [Fact]
    public void A_modality_without_tokens_has_no_sqnr()
    {
        var errors = new LinearErrors(Backend, new RtnQuantizer().Quantize(_weight, QuantizationScheme.W8A8).Pack());
        Assert.Null(errors.Sqnr(Modality.Text));
    }

    private LinearErrors Measure(PreparedTokens tokens, QuantizedWeight weight)
    {
        var errors = new LinearErrors(Backend, weight);
        errors.Add(tokens, _target);
        return errors;
    }

    private double Noise(Matrix output, Modality modality)
        => Quantization.Numerics.Sqnr.Decibels(ModalityRows.Select(_target, _modalities, modality), ModalityRows.Select(output, _modalities, modality));
}
