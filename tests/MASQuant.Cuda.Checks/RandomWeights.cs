using MASQuant.Cuda.Gemm;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Checks;

/// <summary>Random weights in the formats of the kernels; null stands for BF16.</summary>
public static class RandomWeights
{
    /// <summary>The schemes that are measured.</summary>
    public static IReadOnlyList<(string Name, QuantizationScheme? Scheme)> Formats { get; } =
        [("W4A8", QuantizationScheme.W4A8), ("W8A8", QuantizationScheme.W8A8), ("W4A4", QuantizationScheme.W4A4), ("W4A16", QuantizationScheme.W4A16), ("BF16", null)];

    /// <summary>Draws the values of layers side by side once; what is returned adds them to an upload, as often as it is called. Layers whose tokens are quantized have a patch for vision.</summary>
    public static Func<DeviceUpload, DeviceWeight> Of(QuantizationScheme? scheme, LinearShape shape, int seed)
    {
        if (scheme is not { } quantized)
        {
            var values = BFloat16((long)shape.Outputs * shape.Inputs, seed);
            return upload => new DeviceWeight(upload, [values], shape.Inputs, []);
        }

        var weights = Quantized(quantized, shape, seed);
        return upload => new DeviceWeight(upload, weights);
    }

    /// <summary>BF16 numbers below 2 in magnitude.</summary>
    public static byte[] BFloat16(long count, int seed)
    {
        var values = new byte[sizeof(ushort) * count];
        new Random(seed).NextBytes(values);
        ShapeBFloat16(values);
        return values;
    }

    /// <summary>Makes random bytes BF16 numbers below 2 in magnitude.</summary>
    public static void ShapeBFloat16(byte[] bytes)
    {
        for (var i = 1; i < bytes.Length; i += 2)
        {
            bytes[i] = (byte)((bytes[i] & 0x81) | 0x3E);
        }
    }

    /// <summary>The values of quantized layers.</summary>
    public static QuantizedWeight[] Quantized(QuantizationScheme scheme, LinearShape shape, int seed)
    {
        var random = new Random(seed);
        return [.. shape.Layers.Select((outputs, i) => Quantized(scheme, outputs, shape.Inputs, shape.Ranks[i], random))];
    }

    private static QuantizedWeight Quantized(QuantizationScheme scheme, int outputs, int inputs, int rank, Random random)
    {
        var codes = new byte[PackingLayout.PackedBytes(outputs, inputs, scheme.WeightBits)];
        random.NextBytes(codes);
        var scales = new float[outputs * (scheme.QuantizesActivations ? 1 : inputs / PackingLayout.GroupSize)];
        Array.Fill(scales, 0.01f);
        Matrix Small(int rows, int columns)
        {
            var matrix = new Matrix(rows, columns);
            foreach (ref var value in matrix.Span)
            {
                value = random.NextSingle() - 0.5f;
            }

            return matrix;
        }

        return new QuantizedWeight
        {
            Scheme = scheme,
            Outputs = outputs,
            Inputs = inputs,
            Codes = codes,
            Scales = scales,
            ZeroPoints = scheme.QuantizesActivations ? default : new byte[scales.Length],
            Bias = new float[outputs],
            Patches = [null, scheme.QuantizesActivations ? new LowRankFactors(Small(inputs, rank), Small(rank, outputs)) : null, null],
        };
    }
}
