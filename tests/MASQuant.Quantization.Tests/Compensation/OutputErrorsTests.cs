using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compensation;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Smoothing;
using MASQuant.Quantization.Tests.Numerics;
using MASQuant.Quantization.Weights;

namespace MASQuant.Quantization.Tests.Compensation;

/// <summary>The whole method on one layer, measured through the backend that defines the runtime's arithmetic.</summary>
public class OutputErrorsTests
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

    public OutputErrorsTests()
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
    public void Patches_lower_the_noise_of_their_modality_as_the_executed_products_show(string name)
    {
        Assert.True(QuantizationScheme.TryParse(name, out var scheme));
        var factors = SmoothingInitialization.ModalityAware(_statistics, ChannelRange.Of([_weight], Inputs), DeviatingChannels.Pick(_statistics, -1));
        var codes = GptqQuantizer.Create(_statistics.SmoothedGram(factors, [1, 1, 1])).Quantize(factors.Base.ScaleWeight(_weight), scheme);
        var residuals = Gather(factors, codes);
        foreach (var modality in new[] { Modality.Vision, Modality.Audio })
        {
            var residual = residuals[(int)modality]!;
            Assert.Equal(Noise(factors, codes.Pack(), modality), residual.Energy, 1e-6 * residual.Energy);

            var compensation = CrossModalCompensation.Create(_statistics.Gram(modality)!.Smooth(factors[modality].Inverse), new CompensationOptions())!;
            var prior = CrossModalCompensation.Residual(_weight, factors[modality], codes);
            var byWeight = Left(compensation.Compensate(prior, 16).Factors!);
            var byOutput = Left(compensation.Compensate(residual, prior, 16).Factors!);
            Assert.True(byWeight < residual.Energy, $"{modality}: {byWeight} of {residual.Energy}");

            // The regression on the output is the best patch for just this measure, up to what storing it takes: some 50 dB below the patch's output.
            Assert.True(byOutput < byWeight * 1.02, $"{modality}: {byOutput} against {byWeight}");

            double Left(LowRankFactors patch)
            {
                var patches = new LowRankFactors?[ModalityMap.ModalityCount];
                patches[(int)modality] = patch;
                var executed = Noise(factors, codes.Pack(patches: patches), modality);

                // P is a sum of FP32 products, 2⁻²⁴ each; what is left is a hundredth of ‖R‖² and more.
                Assert.Equal(executed, residual.Energy + compensation.Change(residual, patch), 1e-3 * executed);
                return executed;
            }
        }

        // Of text no product was asked for.
        Assert.Equal(100, residuals[(int)Modality.Text]!.Tokens);
        Assert.Empty(((OutputResidual<double>)residuals[(int)Modality.Text]!).CrossProduct.Data);
    }

    [Fact]
    public void Modality_aware_factors_leave_text_less_noise_than_a_uniform_factor()
    {
        var uniform = SmoothingInitialization.Uniform(_statistics, ChannelRange.Of([_weight], Inputs));
        var aware = SmoothingInitialization.ModalityAware(_statistics, ChannelRange.Of([_weight], Inputs), DeviatingChannels.Pick(_statistics, -1));
        Assert.True(Text(aware) < Text(uniform));

        double Text(SmoothingFactors factors)
            => Gather(factors, new RtnQuantizer().Quantize(factors.Base.ScaleWeight(_weight), QuantizationScheme.W4A8))[(int)Modality.Text]!.Energy;
    }

    [Fact]
    public void How_tokens_are_cut_into_sequences_changes_energies_by_rounding_alone()
    {
        var codes = new RtnQuantizer().Quantize(_weight, QuantizationScheme.W8A8);
        var whole = Gather(SmoothingFactors.Ones(Inputs), codes);
        var cut = Gather(SmoothingFactors.Ones(Inputs), codes, sequenceTokens: 7);
        foreach (var modality in Enum.GetValues<Modality>())
        {
            var (one, many) = (whole[(int)modality]!, cut[(int)modality]!);
            Assert.Equal(one.Tokens, many.Tokens);
            Assert.Equal(one.Energy, many.Energy, 1e-12 * one.Energy);
            Assert.Equal(((OutputResidual<double>)one).CrossProduct.Data, ((OutputResidual<double>)many).CrossProduct.Data);
        }
    }

    private OutputResidual?[] Gather(SmoothingFactors factors, WeightCodes codes, int sequenceTokens = 300)
    {
        var errors = new OutputErrors(Backend, factors, [codes.Pack()], slots: 2, _ => true, modality => modality != Modality.Text);
        for (var (start, slot) = (0, 0); start < 300; (start, slot) = (start + sequenceTokens, 1 - slot))
        {
            var count = Math.Min(sequenceTokens, 300 - start);
            var modalities = new ModalityMap([.. Enumerable.Range(start, count).Select(t => _modalities[t])]);
            errors.Compute(modalities, slot, Rows(_x, start, count), [Rows(_target, start, count)]);
            errors.Add(modalities, slot);
        }

        errors.Finish();
        return errors.Residuals[0];
    }

    private static Matrix Rows(Matrix x, int start, int count) => new(count, x.Columns, x.Span.Slice(start * x.Columns, count * x.Columns).ToArray());

    private double Noise(SmoothingFactors factors, QuantizedWeight weight, Modality modality)
    {
        var tokens = new PreparedTokens();
        Backend.Prepare(_x, _modalities, factors.Input, weight.Scheme, tokens);
        var output = new Matrix(300, Outputs);
        Backend.Multiply(tokens, weight, output);
        return Sqnr.Energies(ModalityRows.Select(_target, _modalities, modality).Span, ModalityRows.Select(output, _modalities, modality).Span).Noise;
    }
}
