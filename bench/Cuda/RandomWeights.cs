using MASQuant.Gemm;
using MASQuant.Gemm.Cuda;
using MASQuant.Tensors;

namespace MASQuant.Bench.Cuda;

/// <summary>Random weights in the formats of the kernels; null stands for BF16.</summary>
internal static class RandomWeights
{
    /// <summary>The schemes that are measured.</summary>
    public static IReadOnlyList<(string Name, QuantizationScheme? Scheme)> Formats { get; } =
        [("W4A8", QuantizationScheme.W4A8), ("W8A8", QuantizationScheme.W8A8), ("W4A16", QuantizationScheme.W4A16), ("BF16", null)];

    /// <summary>Adds a weight to an upload, with a patch for vision unless its rank is 0.</summary>
    public static DeviceWeight Add(DeviceUpload upload, QuantizationScheme? scheme, int outputs, int inputs, int seed, int rank = 0) => Of(scheme, outputs, inputs, seed, rank)(upload);

    /// <summary>Draws a weight's values once; what is returned adds them to an upload, as often as it is called.</summary>
    public static Func<DeviceUpload, DeviceWeight> Of(QuantizationScheme? scheme, int outputs, int inputs, int seed, int rank = 0)
    {
        var random = new Random(seed);
        if (scheme is not { } quantized)
        {
            var values = new byte[2L * outputs * inputs];
            random.NextBytes(values);
            DeviceBench.ShapeBFloat16(values);
            return upload => new DeviceWeight(upload, [values], inputs, []);
        }

        var codes = new byte[PackingLayout.PackedBytes(outputs, inputs, quantized.WeightBits)];
        random.NextBytes(codes);
        var groups = quantized.QuantizesActivations ? 1 : inputs / PackingLayout.GroupSize;
        var scales = new float[outputs * groups];
        Array.Fill(scales, 0.01f);
        Matrix Small(int rows, int columns) => new(rows, columns, [.. Enumerable.Range(0, rows * columns).Select(_ => random.NextSingle() - 0.5f)]);
        var weight = new QuantizedWeight
        {
            Scheme = quantized,
            Outputs = outputs,
            Inputs = inputs,
            Codes = codes,
            Scales = scales,
            ZeroPoints = quantized.QuantizesActivations ? default : new byte[scales.Length],
            Bias = new float[outputs],
            Patches = [null, rank == 0 ? null : new LowRankFactors(Small(inputs, rank), Small(rank, outputs)), null],
        };
        return upload => new DeviceWeight(upload, [weight]);
    }
}
