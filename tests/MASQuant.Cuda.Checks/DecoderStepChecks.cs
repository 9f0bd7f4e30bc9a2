using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Checks;

/// <summary>What a decoder does between products and attention: exact.</summary>
internal static class DecoderStepChecks
{
    public static IReadOnlyList<DeviceCheck> All { get; } =
    [
        .. ((int[])[32, 64, 128, 48]).Select(size => new DeviceCheck($"norm_heads: 9 + 2 heads of {size}", device => Norm(device, size))),
        new("rotate_append: 4 after 5", device => Rotate(device, 64)), new("rotate_append: 4 after 5, 16 of 64 values", device => Rotate(device, 16)), new("take_rows: 2 of 5", Take), new("arrange_bf16: 32 × 128", device => Arrange(device, 32, 128)), new("arrange_bf16: 21 × 100", device => Arrange(device, 21, 100)),
    ];

    private static void Norm(ICudaDevice device, int size)
    {
        var (heads, random) = (new HeadShape(9, 2, size), new Random(size));
        const int Tokens = 3;
        var stride = (9 + (2 * 2)) * size;
        float[] qkv = Values(random, Tokens * stride, 5), gain = Values(random, 2 * size);
        using var rows = new DeviceArray<float>(device, qkv);
        using var gains = new DeviceArray<float>(device, gain);
        device.Launch(DecoderKernels.NormHeads(rows.Pointer, stride, heads, (gains.Pointer, 1e-6f), (gains.Pointer + (size * sizeof(float)), 0.1f), Tokens));
        for (var head = 0; head < Tokens * 13; head++)
        {
            var isQuery = head % 13 < 9;
            if (head % 13 < 11)
            {
                var values = qkv.AsSpan(head * size, size);
                RmsNorm.Apply(values, gain.AsSpan(isQuery ? 0 : size, size), isQuery ? 1e-6f : 0.1f, values);
            }
        }

        Require.EqualEach(qkv, rows.Read(), "queries, keys and values");
    }

    private static void Rotate(ICudaDevice device, int rotated)
    {
        var (heads, random) = (new HeadShape(3, 2, 64) { Rotated = rotated }, new Random(7));
        const int Tokens = 4;
        const int Cached = 5;
        var stride = (3 + (2 * 2)) * 64;
        float[] qkv = Values(random, Tokens * stride), cosines = Values(random, Tokens * rotated / 2), sines = Values(random, Tokens * rotated / 2);
        using var rows = new DeviceArray<float>(device, qkv);
        using var cosine = new DeviceArray<float>(device, cosines);
        using var sine = new DeviceArray<float>(device, sines);
        using var count = new DeviceArray<int>(device, [Cached]);
        using var keys = new DeviceArray<ushort>(device, new ushort[(Cached + Tokens) * 128]);
        using var values = new DeviceArray<ushort>(device, new ushort[(Cached + Tokens) * 128]);
        device.Launch(DecoderKernels.RotateAppend(rows.Pointer, stride, heads, cosine.Pointer, sine.Pointer, count.Pointer, keys.Pointer, values.Pointer, Tokens));

        var (gotRows, gotKeys, gotValues) = (rows.Read(), keys.Read(), values.Read());
        Require.Equal<ushort>(new ushort[Cached * 128], gotKeys.AsSpan(0, Cached * 128), "cached keys");
        for (var t = 0; t < Tokens; t++)
        {
            var row = qkv.AsSpan(t * stride, stride);
            Rotary.Rotate(row[..(5 * 64)], 64, cosines.AsSpan(t * rotated / 2, rotated / 2), sines.AsSpan(t * rotated / 2, rotated / 2));
            Require.Equal<float>(row[..192], gotRows.AsSpan(t * stride, 192), $"queries of token {t}");
            Require.EqualEach(row.Slice(192, 128).ToArray().Select(BFloat16.FromSingle), gotKeys.AsSpan((Cached + t) * 128, 128).ToArray(), $"keys of token {t}");
            Require.EqualEach(row.Slice(320, 128).ToArray().Select(BFloat16.FromSingle), gotValues.AsSpan((Cached + t) * 128, 128).ToArray(), $"values of token {t}");
        }
    }

    private static void Arrange(ICudaDevice device, int rows, int inputs)
    {
        var weight = Enumerable.Range(0, rows * inputs).Select(i => (ushort)(i + 1)).ToArray();
        var padded = (rows + 15) / 16 * 16;
        using var source = new DeviceArray<ushort>(device, weight);
        using var target = new DeviceArray<ushort>(device, (int)(GemmKernels.CodeBytes(WeightFormat.BFloat16, padded, inputs) / 2));
        device.Launch(ArrangeKernels.Of(source.Pointer, target.Pointer, rows, inputs));
        Require.EqualEach(FragmentOrder.PackBFloat16((n, k) => BitConverter.UInt32BitsToSingle((uint)weight[(n * inputs) + k] << 16), rows, inputs, padded), target.Read(), "the weight");
    }

    private static void Take(ICudaDevice device)
    {
        var random = new Random(2);
        float[] hidden = Values(random, 5 * 36), branch = Values(random, 5 * 36);
        using var h = new DeviceArray<float>(device, hidden);
        using var b = new DeviceArray<float>(device, branch);
        using var first = new DeviceArray<int>(device, [3]);
        using var rows = new DeviceArray<float>(device, 2 * 36);
        device.Launch(DecoderKernels.TakeRows(h.Pointer, b.Pointer, first.Pointer, rows.Pointer, 2, 36));
        Require.EqualEach(hidden.Zip(branch, (x, y) => x + y).Skip(3 * 36), rows.Read(), "rows");
    }

    private static float[] Values(Random random, int count, float range = 1) => [.. Enumerable.Range(0, count).Select(_ => ((random.NextSingle() * 2) - 1) * range)];
}
