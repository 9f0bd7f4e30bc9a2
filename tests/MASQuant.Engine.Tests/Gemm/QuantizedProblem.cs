using MASQuant.Engine.Gemm;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Tests.Gemm;

/// <summary>A random quantized linear layer and its input.</summary>
internal sealed class QuantizedProblem
{
    public QuantizedProblem(int tokens, int outputs, int inputs, QuantizationScheme scheme, int seed = 1, bool bias = true, int rank = 5, bool groupScales = false)
    {
        var random = new RandomValues(seed);
        Scheme = scheme;
        var groups = scheme.QuantizesActivations ? 1 : inputs / PackingLayout.GroupSize;
        var unsigned = !scheme.QuantizesActivations;
        RowMajorCodes = scheme.WeightBits == 8 ? random.Codes(outputs * inputs, -128, 127) : random.Codes(outputs * inputs, unsigned ? 0 : -8, unsigned ? 15 : 7);
        Weight = Create(scheme, outputs, inputs, RowMajorCodes, random.Array(outputs * groups),
            unsigned ? Array.ConvertAll(random.Codes(outputs * groups, 0, 15), code => (byte)code) : [],
            bias ? random.Array(outputs) : [],
            [null, Patch(random, outputs, inputs, rank), Patch(random, outputs, inputs, rank + 3)]);
        RowMajorGroupScales = groupScales ? Array.ConvertAll(random.Codes(outputs * inputs / PackingLayout.GroupSize, 1, PackingLayout.MaxGroupScale), scale => (byte)scale) : [];
        Weight = WithGroupScales(Weight, RowMajorGroupScales);
        X = random.Matrix(tokens, inputs);
        InverseSmoothing = [random.Array(inputs), random.Array(inputs), []];
        Modalities = new ModalityMap(Array.ConvertAll(random.Codes(tokens, 0, 2), code => (Modality)code));
    }

    public QuantizationScheme Scheme { get; }

    public sbyte[] RowMajorCodes { get; }

    public byte[] RowMajorGroupScales { get; }

    public QuantizedWeight Weight { get; }

    public Matrix X { get; }

    public float[][] InverseSmoothing { get; }

    public int RotationBlock { get; set; }

    public IReadOnlyList<float>? Clips { get; set; }

    public InputTransform Input => new(InverseSmoothing, RotationBlock) { Clips = Clips };

    public ModalityMap Modalities { get; set; }

    public static QuantizedWeight Create(
        QuantizationScheme scheme, int outputs, int inputs, sbyte[] codes, float[] scales, byte[] zeroPoints, float[] bias, LowRankFactors?[] patches) => new()
        {
            Scheme = scheme,
            Outputs = outputs,
            Inputs = inputs,
            Codes = CodePacking.Pack(codes, outputs, inputs, scheme.WeightBits, unsigned: !scheme.QuantizesActivations),
            Scales = scales,
            ZeroPoints = zeroPoints,
            Bias = bias,
            Patches = patches,
        };

    /// <summary>The same weight with second-level scales, given as [N, K/128].</summary>
    public static QuantizedWeight WithGroupScales(QuantizedWeight weight, byte[] scales)
    {
        // Panels of 16 outputs, in them groups, in them outputs: written out here, not taken from the code under test.
        var groups = weight.Inputs / 128;
        var packed = new byte[scales.Length];
        for (var n = 0; n < (scales.Length == 0 ? 0 : weight.Outputs); n++)
        {
            for (var group = 0; group < groups; group++)
            {
                packed[(n / 16 * groups * 16) + (group * 16) + (n % 16)] = scales[(n * groups) + group];
            }
        }

        return weight with { GroupScales = packed };
    }

    public float[] Run(IGemmBackend backend)
    {
        var tokens = new PreparedTokens();
        var y = new Matrix(X.Rows, Weight.Outputs);
        backend.Prepare(X, Modalities, Input, Scheme, tokens);
        backend.Multiply(tokens, Weight, y);
        return y.Data;
    }

    private static LowRankFactors? Patch(RandomValues random, int outputs, int inputs, int rank)
        => rank == 0 ? null : new LowRankFactors(random.Matrix(inputs, rank), random.Matrix(rank, outputs));
}
