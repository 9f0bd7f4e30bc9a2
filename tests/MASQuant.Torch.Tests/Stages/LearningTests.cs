using MASQuant.Engine.Layers;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Models.Qwen3VL;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Smoothing;
using MASQuant.Quantization.Tests.Numerics;
using TorchSharp;

namespace MASQuant.Torch.Tests.Stages;

/// <summary>libtorch's gradient beside the one that is written out, which finite differences check elsewhere.</summary>
public class LearningTests
{
    private const int Tokens = 9;

    private static readonly TextConfig Qwen25 = new()
    {
        HiddenSize = 32,
        Layers = 1,
        IntermediateSize = 48,
        AttentionHeads = 4,
        KeyValueHeads = 2,
        VocabularySize = 1,
        RmsNormEpsilon = 1e-2f, // so large that it shows
        RopeTheta = 100,
        MropeSections = [1, 1, 2],
        TieWordEmbeddings = true,
        MaxPositions = 1000,
    };

    private static readonly DecoderDescription Decoder = Qwen25Decoder.Describe(Qwen25);

    public static TheoryData<string, int, int, int> Cases()
    {
        var cases = new TheoryData<string, int, int, int> { { "W8A8", -1, 0, 0 }, { "W4A16", -1, 16, 0 }, { "W4A8", 2, 8, 16 }, { "W8A8", 3, 8, 16 } };
        foreach (var scheme in QuantizationScheme.All)
        {
            cases.Add(scheme.ToString(), 0, 0, 0);
            cases.Add(scheme.ToString(), 3, 16, 0);
        }

        return cases;
    }

    [TorchTheory]
    [MemberData(nameof(Cases))]
    public void Loss_and_gradient_are_equal(string scheme, int deviating, int rotationBlock, int groupSize)
        => AssertEqual(Decoder, scheme, deviating, rotationBlock, groupSize);

    // Heads that are together wider than the stream, normed, with positions that take turns, and rows that are added behind.
    [TorchTheory]
    [InlineData("W8A8", 3, 0)]
    [InlineData("W4A4", 3, 16)]
    [InlineData("W4A16", -1, 0)]
    public void They_are_with_normed_heads_and_added_rows(string scheme, int deviating, int rotationBlock)
        => AssertEqual(Qwen3VLDecoder.Describe(Qwen25 with { HeadSize = 24, MropeSections = [4, 4, 4] }, deepstack: 1), scheme, deviating, rotationBlock, 0);

    private static void AssertEqual(DecoderDescription decoder, string scheme, int deviating, int rotationBlock, int groupSize)
    {
        var sequence = Sequence(decoder);
        var target = RandomMatrices.Single(Tokens, decoder.Config.HiddenSize, 50);
        var (expectedLosses, expected) = Gradients(problem => new ManagedBlock(problem), Problem(decoder, scheme, deviating, rotationBlock, groupSize), sequence, target);
        var (losses, actual) = Gradients(new TorchCompute(torch.CPU).Simulate, Problem(decoder, scheme, deviating, rotationBlock, groupSize), sequence, target);

        // Seven products lie behind each other forward and fourteen backward, of at most 10² FP32 terms each (Higham, 3.5): about 2·10³·2⁻²⁴ of the norm for either side, relative to
        // all gradients together, since an error that flows back reaches each of them. No value lies that near the middle of two codes.
        const double Bound = 4e3 / (1 << 24);
        Assert.All(expectedLosses.Zip(losses), pair => Assert.InRange(pair.Second / pair.First, 1 - Bound, 1 + Bound));
        var norm = Math.Sqrt(expected.SelectMany(gradient => gradient).Sum(g => (double)g * g));
        foreach (var (one, other) in expected.Zip(actual))
        {
            Assert.InRange(Math.Sqrt(one.Zip(other, (a, b) => ((double)a - b) * ((double)a - b)).Sum()), 0, Bound * norm);
        }

        Assert.Contains(expected, gradient => gradient.Any(g => g != 0));
    }

    [TorchFact]
    public void Gradients_add_up_and_repeat_to_the_bit()
    {
        var (sequence, target) = (Sequence(Decoder), RandomMatrices.Single(Tokens, Qwen25.HiddenSize, 50));
        var problem = Problem(Decoder, "W4A4", 3, 16, 0);
        using var block = new TorchCompute(torch.CPU).Simulate(problem)!;
        block.Descend(sequence, target);
        var once = problem.Groups.SelectMany(group => group.Factors.Gradients).Select(gradient => (float[])gradient.Clone()).ToArray();
        block.Descend(sequence, target);
        Assert.Equal(once.Select(gradient => gradient.Select(g => g + g)), problem.Groups.SelectMany(group => group.Factors.Gradients));
    }

    // As StageTests; and with the block all goes that it held.
    [TorchTheory]
    [InlineData("W4A4", 16)]
    [InlineData("W4A16", 0)]
    public void No_tensor_is_made_outside_a_scope_or_left_behind(string scheme, int rotationBlock)
    {
        var statistics = DisposeScopeManager.Statistics.TensorStatistics;
        var before = (statistics.CreatedOutsideScopeCount, statistics.ThreadTotalLiveCount);
        Gradients(new TorchCompute(torch.CPU).Simulate, Problem(Decoder, scheme, 3, rotationBlock, 0), Sequence(Decoder), RandomMatrices.Single(Tokens, Qwen25.HiddenSize, 50));
        Assert.Equal(before, (statistics.CreatedOutsideScopeCount, statistics.ThreadTotalLiveCount));
    }

    // Extents at which libtorch shares products and sums among its threads; every other error is so large that FP64 does not hold the sum exactly.
    [TorchFact]
    public void Bytes_are_the_same_for_any_number_of_threads()
    {
        var decoder = Qwen25Decoder.Describe(Qwen25 with { HiddenSize = 256, IntermediateSize = 512, MropeSections = [8, 12, 12] });
        var (sequence, target) = (Sequence(decoder, repeats: 24), RandomMatrices.Single(24 * Tokens, 256, 50));
        for (var k = 0; k < target.Data.Length; k += 2)
        {
            target.Data[k] *= 1e8f;
        }

        var targets = Enumerable.Range(1, 8).Select(i => new Matrix(target.Rows, target.Columns, [.. target.Data.Select(value => value * i)])).ToArray();
        double[] Computed(int threads)
        {
            using var block = new TorchCompute(torch.CPU).Simulate(Problem(decoder, "W4A4", 3, 16, 0))!;
            double LossOf(Matrix target)
            {
                torch.set_num_threads(threads); // As an environment may say.
                return block.Loss(sequence, target);
            }

            double[] losses = [.. targets.Select(LossOf)];
            torch.set_num_threads(threads);
            block.Descend(sequence, target);
            return [.. losses, .. block.Factors.SelectMany(factors => factors.Gradients).SelectMany(gradient => gradient)];
        }

        var expected = Computed(1);
        Assert.All([2, 3, 8], threads => Assert.Equal(expected, Computed(threads)));
    }

    [TorchFact]
    public void A_step_without_a_gradient_is_left_to_managed_code()
    {
        var (norm, other) = (Decoder.FinalNorm, Decoder.FinalNorm with { Kind = NormKind.Layer });
        Assert.All<BlockStep>([new ActivateStep(), new ConvolveStep("w", 1, 4), new NormalizeStep(other), new NormalizeHeadsStep(other, norm), new NormalizeHeadsStep(norm, other)], step =>
        {
            var problem = Problem(Decoder, "W8A8", 0, 0, 0) with { Description = new BlockDescription("", [step]) };
            Assert.Null(new TorchCompute(torch.CPU).Simulate(problem));
        });
    }

    // The loss, twice, and after a change of the factors, and the gradient before it.
    private static (double[] Losses, float[][] Gradients) Gradients(Func<SimulationProblem, ISimulatedBlock?> simulate, SimulationProblem problem, CalibrationSequence sequence, Matrix target)
    {
        using var block = simulate(problem)!;
        var before = block.Loss(sequence, target);
        block.Descend(sequence, target);
        var again = block.Loss(sequence, target);
        foreach (var logarithms in block.Factors.SelectMany(factors => factors.Logarithms))
        {
            for (var k = 0; k < logarithms.Length; k++)
            {
                logarithms[k] += 0.1f * (k % 3);
            }
        }

        block.Refresh();
        return ([before, again, block.Loss(sequence, target)], [.. block.Factors.SelectMany(factors => factors.Gradients)]);
    }

    private static SimulationProblem Problem(DecoderDescription decoder, string schemeName, int deviating, int rotationBlock, int groupSize)
    {
        Assert.True(QuantizationScheme.TryParse(schemeName, out var scheme));
        var description = decoder.Blocks[0];
        var seed = 1UL;
        var norms = description.Norms.Select(norm => new Norm(norm, RandomMatrices.Single(1, norm.Size, seed++).Data, [])).ToArray();
        var groups = description.Projections.Select(step => new SimulatedLayers(
            [.. step.Linears.Select(linear => RandomMatrices.Single(linear.Outputs, linear.Inputs, seed++))],
            [.. step.Linears.Select(linear => step.Linears.Count == 3 ? RandomMatrices.Single(1, linear.Outputs, seed++).Data : [])],
            Factors(step.Linears[0].Inputs, deviating, seed++), scheme, groupSize, rotationBlock)).ToArray();
        return new SimulationProblem(description, norms, groups, [1, 0.5, 2]);
    }

    private static GroupFactors Factors(int inputs, int deviating, ulong seed)
    {
        var logarithms = Enumerable.Range(0, ModalityMap.ModalityCount).Select(m => RandomMatrices.Single(1, inputs, seed + (100 * (ulong)m)).Data).ToArray();
        return new GroupFactors(logarithms, [.. logarithms.Select((l, m) => l.Select((_, k) => m == 0 || deviating < 0 || (k + m) % inputs < deviating).ToArray())]);
    }

    private static CalibrationSequence Sequence(DecoderDescription decoder, int repeats = 1)
    {
        T[] Repeated<T>(T[] pattern, Func<T, int, T> at) => [.. Enumerable.Range(0, repeats).SelectMany(repeat => pattern.Select(value => at(value, repeat)))];
        int[] Positions(params int[] pattern) => Repeated(pattern, (position, repeat) => position + (Tokens * repeat));

        var rotary = new RotaryTable(decoder.Rotary);
        rotary.Set(Positions(0, 1, 1, 2, 3, 4, 5, 6, 7), Positions(0, 1, 2, 2, 3, 4, 5, 6, 7), Positions(0, 1, 3, 2, 3, 4, 5, 6, 7));
        var hidden = RandomMatrices.Single(Tokens * repeats, decoder.Config.HiddenSize, 60);
        return new CalibrationSequence
        {
            Modalities = new ModalityMap(Repeated([Modality.Text, Modality.Vision, Modality.Vision, Modality.Text, Modality.Audio, Modality.Audio, Modality.Audio, Modality.Text, Modality.Text], (modality, _) => modality)),
            Rotary = rotary,
            Deepstack = new DeepstackRows([RandomMatrices.Single(2 * repeats, decoder.Config.HiddenSize, 61)]), // for the tokens of vision
            Exact = hidden,
            Quantized = hidden,
        };
    }
}
