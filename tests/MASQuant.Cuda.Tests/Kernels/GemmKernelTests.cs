using MASQuant.Gemm;
using MASQuant.Ptx;

namespace MASQuant.Tests.Kernels;

/// <summary>Products of integer formats equal the CPU bit for bit; those with BF16 operands stay within their rounding.</summary>
public sealed class GemmKernelTests
{
    private const string LowRankOperation = "mma.sync.aligned.m16n8k16";

    // Scheme, tokens, outputs, inputs: one step, steps that do not fill a ring, padded K, several passes through every stage, odd M, more than one block each way.
    public static TheoryData<string, int, int[], int> Shapes => new()
    {
        { "W4A8", 1, [64], 64 },
        { "W4A8", 3, [16, 48, 32], 4160 },
        { "W4A8", 9, [80], 1096 },
        { "W4A8", 17, [144], 4096 },
        { "W4A8", 131, [16], 72 },
        { "W4A6", 5, [32], 256 },
        { "W8A8", 2, [64], 4096 },
        { "W8A8", 16, [48], 200 },
        { "W8A8", 37, [128, 16], 4104 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void IntegerProductsEqualTheCpu(string scheme, int tokens, int[] outputs, int inputs)
    {
        var problem = new LayerProblem(Scheme(scheme), tokens, outputs, inputs);
        var prepared = problem.Prepare();
        using var device = new EmulatedDevice();
        using var layers = new DeviceLayers(device, problem);
        var actual = layers.Run(prepared);
        var expected = problem.Expect(prepared);
        for (var i = 0; i < outputs.Length; i++)
        {
            Assert.Equal(expected[i].Data, actual[i].Data);
        }

        Assert.Equal(0, device.Counts.Of(LowRankOperation));
    }

    // Hopper: every stage several times, a last stage half full, padded K, more than one block each way, odd M.
    public static TheoryData<string, int, int[], int> WideShapes => new()
    {
        { "W4A8", 65, [144, 16], 4160 },
        { "W8A8", 259, [32], 648 },
        { "W4A8", 66, [16], 8 },
        { "W8A8", 70, [64], 2048 },
    };

    [Theory]
    [MemberData(nameof(WideShapes))]
    public void WideIntegerProductsEqualTheCpu(string scheme, int tokens, int[] outputs, int inputs)
    {
        var problem = new LayerProblem(Scheme(scheme), tokens, outputs, inputs);
        var prepared = problem.Prepare();
        using var device = new EmulatedDevice { ComputeCapability = 90 };
        using var layers = new DeviceLayers(device, problem);
        var actual = layers.Run(prepared);
        Assert.True(device.Counts.Of("wgmma.mma_async") > 0);
        var expected = problem.Expect(prepared);
        for (var i = 0; i < outputs.Length; i++)
        {
            Assert.Equal(expected[i].Data, actual[i].Data);
        }
    }

    [Theory]
    [InlineData("W4A8", 72, 256, "TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTVA")]
    [InlineData("W8A8", 66, 72, "VTA")]
    public void WidePatchesStayWithinTheRoundingOfTheirOperands(string scheme, int tokens, int inputs, string modalities)
    {
        using var device = new EmulatedDevice { ComputeCapability = 90 };
        ComparePatches(device, new LayerProblem(Scheme(scheme), tokens, [32, 16, 112], inputs, Named(modalities), ranks: [11, 0, 30]));
    }

    // Every mix of modalities: one alone, the others' boundary at the edge of a tile, of a block, and all three within 8 tokens.
    public static TheoryData<string, int, int, string> Mixes => new()
    {
        { "W4A8", 1, 72, "V" },
        { "W4A8", 5, 512, "TVATV" },
        { "W4A8", 12, 4160, "AAAAAAAAVVVV" },
        { "W8A8", 21, 136, "TTTTTTTTTTTTTTTTVVVVA" },
        { "W4A8", 66, 256, new string('T', 64) + "VA" },
        { "W8A8", 130, 72, new string('V', 128) + "AT" },
        { "W4A16", 7, 256, "VTAVTAV" },
        { "W4A16", 33, 1024, "A" },
    };

    [Theory]
    [MemberData(nameof(Mixes))]
    public void PatchesStayWithinTheRoundingOfTheirOperands(string scheme, int tokens, int inputs, string modalities)
    {
        using var device = new EmulatedDevice();
        ComparePatches(device, new LayerProblem(Scheme(scheme), tokens, [32, 16, 112], inputs, Named(modalities), ranks: [11, 0, 30]));
    }

    private static void ComparePatches(EmulatedDevice device, LayerProblem problem)
    {
        var prepared = problem.Prepare();
        using var layers = new DeviceLayers(device, problem);
        var (actual, expected) = (layers.Run(prepared), problem.Expect(prepared));
        for (var i = 0; i < expected.Length; i++)
        {
            for (var m = 0; m < prepared.Tokens; m++)
            {
                for (var n = 0; n < expected[i].Columns; n++)
                {
                    var difference = Math.Abs((double)expected[i][m, n] - actual[i][m, n]);
                    var bound = RoundingBound.Of(prepared, problem.Weights[i], m, n, expected[i][m, n]);
                    Assert.True(difference <= bound, $"layer {i}, token {m}, output {n}: {expected[i][m, n]} and {actual[i][m, n]} differ by more than {bound}");
                }
            }
        }
    }

    [Theory]
    [InlineData(1, 64, 0)]
    [InlineData(40, 64, 0)]
    [InlineData(128, 128, 0)]
    public void TextDoesNoLowRankWork(int tokens, int outputs, int expected)
    {
        var problem = new LayerProblem(QuantizationScheme.W4A8, tokens, [outputs], 128, [Modality.Text], ranks: [16]);
        using var device = new EmulatedDevice();
        using var layers = new DeviceLayers(device, problem);
        layers.Run(problem.Prepare());
        Assert.Equal(expected, device.Counts.Of(LowRankOperation));
    }

    [Fact]
    public void OnlyTheWarpsThatHoldPatchedTokensDoLowRankWork()
    {
        // 200 tokens, of which number 150 is seen: it is in the second block, and there in one chunk of 2 tiles.
        var problem = new LayerProblem(QuantizationScheme.W4A8, 200, [128], 128, [.. Enumerable.Range(0, 200).Select(i => i == 150 ? Modality.Vision : Modality.Text)], ranks: [16]);
        using var device = new EmulatedDevice();
        using var layers = new DeviceLayers(device, problem);
        layers.Run(problem.Prepare());

        // T: one of two blocks, 8 warps × 2 panels × 8 tiles × 4 MMAs for each of 2 steps. Y, computed twice: 8 panels × 1 step of 16 ranks × 2 tiles.
        Assert.Equal((8 * 2 * 8 * 4 * 2) + (2 * 8 * 2), device.Counts.Of(LowRankOperation));
    }

    public static TheoryData<int, int> Groups => new()
    {
        { 1, 4096 }, { 8, 128 }, { 11, 1152 }, { 23, 1024 },
    };

    [Theory]
    [MemberData(nameof(Groups))]
    public void GroupsStayWithinTheRoundingOfTokens(int tokens, int inputs)
    {
        var problem = new LayerProblem(QuantizationScheme.W4A16, tokens, [48], inputs);
        var prepared = problem.Prepare();
        using var device = new EmulatedDevice();
        using var layers = new DeviceLayers(device, problem);
        var (actual, expected) = (layers.Run(prepared)[0], problem.Expect(prepared)[0]);
        for (var m = 0; m < tokens; m++)
        {
            for (var n = 0; n < 48; n++)
            {
                Assert.InRange(Math.Abs((double)expected[m, n] - actual[m, n]), 0, RoundingBound.Of(prepared, problem.Weights[0], m, n, expected[m, n]));
            }
        }
    }

    [Theory]
    [InlineData("W4A8", 4, 4096)]
    [InlineData("W4A16", 12, 4096)]
    public void DividedInputsGiveTheSameBitsEveryTime(string scheme, int tokens, int inputs)
    {
        var problem = new LayerProblem(Scheme(scheme), tokens, [64], inputs);
        var prepared = problem.Prepare();
        float[]? first = null;
        for (var run = 0; run < 3; run++)
        {
            using var device = new EmulatedDevice();
            using var layers = new DeviceLayers(device, problem) { Multiprocessors = 2 };
            var y = layers.Run(prepared)[0].Data;
            Assert.Equal(4, layers.Parts);
            first ??= y;
            Assert.Equal(first, y);
        }
    }

    private static Modality[] Named(string letters) => [.. letters.Select(letter => letter switch { 'V' => Modality.Vision, 'A' => Modality.Audio, _ => Modality.Text })];

    private static QuantizationScheme Scheme(string name) => QuantizationScheme.TryParse(name, out var scheme) ? scheme : throw new ArgumentException(name);
}
