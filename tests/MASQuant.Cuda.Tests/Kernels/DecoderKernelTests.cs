using MASQuant.Gemm.Cuda;
using MASQuant.Gemm.Cuda.Driver;
using MASQuant.Layers;
using MASQuant.Ptx;
using MASQuant.Safetensors;

namespace MASQuant.Tests.Kernels;

/// <summary>The decoder's kernels against the processor's code and an FP64 oracle.</summary>
public class DecoderKernelTests
{
    // Heads of every size; one, few and many queries per key head; queries that fill tiles and that do not; caches empty, within a tile and beyond.
    public static TheoryData<int, int, int, int, int> Attentions => new()
    {
        { 128, 4, 1, 5, 70 },
        { 64, 4, 2, 65, 0 },
        { 32, 2, 2, 3, 61 },
        { 32, 3, 1, 1, 200 },
        { 128, 7, 1, 1, 0 },
        { 64, 16, 1, 1, 129 },
    };

    [Theory]
    [MemberData(nameof(Attentions))]
    public void AttentionIsWithinItsRounding(int size, int queries, int keys, int tokens, int cached) => CheckAttention(new EmulatedDevice(), new HeadShape(queries, keys, size), tokens, cached);

    [CudaFact]
    public void AttentionIsWithinItsRoundingOnTheGpu()
    {
        using var device = CudaDevice.Open(0);
        foreach (var shape in Attentions)
        {
            CheckAttention(device, new HeadShape((int)shape[1], (int)shape[2], (int)shape[0]), (int)shape[3], (int)shape[4]);
        }
    }

    [Fact]
    public void RotationEqualsTheProcessorAndFillsTheCache()
    {
        var (device, heads, random) = (new EmulatedDevice(), new HeadShape(3, 2, 64), new Random(7));
        const int Tokens = 4;
        const int Cached = 5;
        var stride = (3 + (2 * 2)) * 64;
        float[] qkv = Values(random, Tokens * stride), cosines = Values(random, Tokens * 32), sines = Values(random, Tokens * 32);
        using var rows = new DeviceArray<float>(device, qkv);
        using var cosine = new DeviceArray<float>(device, cosines);
        using var sine = new DeviceArray<float>(device, sines);
        using var count = new DeviceArray<int>(device, [Cached]);
        using var keys = new DeviceArray<ushort>(device, new ushort[(Cached + Tokens) * 128]);
        using var values = new DeviceArray<ushort>(device, new ushort[(Cached + Tokens) * 128]);
        device.Launch(DecoderKernels.RotateAppend(rows.Pointer, stride, heads, cosine.Pointer, sine.Pointer, count.Pointer, keys.Pointer, values.Pointer, Tokens));

        var (gotRows, gotKeys, gotValues) = (rows.Read(), keys.Read(), values.Read());
        Assert.Equal(-1, gotKeys.AsSpan(0, Cached * 128).IndexOfAnyExcept((ushort)0));
        for (var t = 0; t < Tokens; t++)
        {
            var row = qkv.AsSpan(t * stride, stride);
            Rotary.Rotate(row[..(5 * 64)], cosines.AsSpan(t * 32, 32), sines.AsSpan(t * 32, 32));
            Assert.Equal(row[..192].ToArray(), gotRows.AsSpan(t * stride, 192).ToArray());
            Assert.Equal(row.Slice(192, 128).ToArray().Select(BFloat16.FromSingle), gotKeys.Skip((Cached + t) * 128).Take(128));
            Assert.Equal(row.Slice(320, 128).ToArray().Select(BFloat16.FromSingle), gotValues.Skip((Cached + t) * 128).Take(128));
        }
    }

    [Theory]
    [InlineData(32, 128)]
    [InlineData(21, 100)]
    public void ArrangedWeightsEqualPackedOnes(int rows, int inputs)
    {
        var device = new EmulatedDevice();
        var weight = Enumerable.Range(0, rows * inputs).Select(i => (ushort)(i + 1)).ToArray();
        var padded = (rows + 15) / 16 * 16;
        using var source = new DeviceArray<ushort>(device, weight);
        using var target = new DeviceArray<ushort>(device, (int)(GemmKernels.CodeBytes(WeightFormat.BFloat16, padded, inputs) / 2));
        device.Launch(ArrangeKernels.Of(source.Pointer, target.Pointer, rows, inputs));
        Assert.Equal(FragmentOrder.PackBFloat16((n, k) => BitConverter.UInt32BitsToSingle((uint)weight[(n * inputs) + k] << 16), rows, inputs, padded), target.Read());
    }

    [Fact]
    public void TakenRowsAreHiddenPlusBranch()
    {
        var (device, random) = (new EmulatedDevice(), new Random(2));
        float[] hidden = Values(random, 5 * 36), branch = Values(random, 5 * 36);
        using var h = new DeviceArray<float>(device, hidden);
        using var b = new DeviceArray<float>(device, branch);
        using var first = new DeviceArray<int>(device, [3]);
        using var rows = new DeviceArray<float>(device, 2 * 36);
        device.Launch(DecoderKernels.TakeRows(h.Pointer, b.Pointer, first.Pointer, rows.Pointer, 2, 36));
        Assert.Equal(hidden.Zip(branch, (x, y) => x + y).Skip(3 * 36), rows.Read());
    }

    private static void CheckAttention(ICudaDevice device, HeadShape heads, int tokens, int cached)
    {
        var random = new Random(heads.Size + tokens);
        var (width, row, all) = (heads.Queries * heads.Size, heads.Keys * heads.Size, cached + tokens);
        var stride = width + 12;
        var q = Values(random, tokens * stride, 2);
        var k = Values(random, all * row, 2).Select(BFloat16.FromSingle).ToArray();
        var v = Values(random, all * row, 2).Select(BFloat16.FromSingle).ToArray();

        // Behind the last key lies what must not be read: NaN.
        ushort[] behind = [.. Enumerable.Repeat((ushort)0x7FC0, 64 * row)];
        using var queries = new DeviceArray<float>(device, q);
        using var keys = new DeviceArray<ushort>(device, [.. k, .. behind]);
        using var values = new DeviceArray<ushort>(device, [.. v, .. behind]);
        using var count = new DeviceArray<int>(device, [cached]);
        using var output = new DeviceArray<float>(device, tokens * width);
        var parts = tokens == 1 ? DecoderKernels.DecodeParts(heads, 2048, 8) : 0;
        if (parts == 0)
        {
            device.Launch(DecoderKernels.Attend(queries.Pointer, stride, heads, keys.Pointer, values.Pointer, count.Pointer, output.Pointer, tokens));
        }
        else
        {
            Assert.InRange(parts, 8, 128);
            using var partial = new DeviceArray<byte>(device, (int)DecoderKernels.PartialBytes(heads, parts));
            device.Launch(DecoderKernels.AttendOne(queries.Pointer, stride, heads, keys.Pointer, values.Pointer, 0, count.Pointer, partial.Pointer, parts));
            device.Launch(DecoderKernels.Merge(partial.Pointer, parts, heads, output.Pointer));
        }

        var actual = output.Read();
        for (var t = 0; t < tokens; t++)
        {
            for (var head = 0; head < heads.Queries; head++)
            {
                var start = head / (heads.Queries / heads.Keys) * heads.Size;
                AttentionBound.Check(q.AsSpan((t * stride) + (head * heads.Size), heads.Size), key => Row(k, key, start), key => Row(v, key, start), cached + t + 1, actual.AsSpan((t * width) + (head * heads.Size), heads.Size));
            }
        }

        ReadOnlySpan<ushort> Row(ushort[] cache, int key, int start) => cache.AsSpan((key * row) + start, heads.Size);
    }

    private static float[] Values(Random random, int count, float range = 1) => [.. Enumerable.Range(0, count).Select(_ => ((random.NextSingle() * 2) - 1) * range)];
}
