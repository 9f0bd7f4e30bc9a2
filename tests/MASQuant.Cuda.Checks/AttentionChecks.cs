using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Checks;

/// <summary>The decoder's attention, of prompts and of steps, within its rounding.</summary>
internal static class AttentionChecks
{
    // Heads of every size; one, few and many queries per key head; queries that fill tiles and that do not; caches empty, within a tile, beyond, and divided among blocks.
    private static readonly (HeadShape Heads, int Tokens, int Cached)[] Shapes =
    [
        (new HeadShape(4, 1, 128), 5, 70),
        (new HeadShape(4, 2, 64), 65, 0),
        (new HeadShape(2, 2, 32), 3, 61),
        (new HeadShape(3, 1, 32), 1, 200),
        (new HeadShape(7, 1, 128), 1, 0),
        (new HeadShape(16, 1, 64), 1, 129),
        (new HeadShape(4, 2, 64), 1, 1100),
        (new HeadShape(4, 2, 256), 33, 70),
        (new HeadShape(8, 2, 256), 1, 300),
    ];

    public static IReadOnlyList<DeviceCheck> All { get; } = [.. Shapes.Select(shape => new DeviceCheck(
        $"attention: {shape.Tokens} after {shape.Cached}, {shape.Heads.Queries} heads of {shape.Heads.Size}, {shape.Heads.Keys} of keys", device => Check(device, shape.Heads, shape.Tokens, shape.Cached, capacity: 2048, multiprocessors: 8, [.. Enumerable.Range(0, shape.Tokens)])))];

    /// <summary>Attention of <paramref name="tokens"/> behind <paramref name="cached"/> others, of which those numbered <paramref name="compared"/> are compared.</summary>
    public static void Check(ICudaDevice device, HeadShape heads, int tokens, int cached, int capacity, int multiprocessors, IReadOnlyList<int> compared)
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
        output.Fill(0xFF);
        var parts = tokens == 1 ? DecoderKernels.DecodeParts(heads, capacity, multiprocessors) : 0;
        if (parts == 0)
        {
            device.Launch(DecoderKernels.Attend(queries.Pointer, stride, heads, keys.Pointer, values.Pointer, count.Pointer, output.Pointer, tokens));
        }
        else
        {
            using var partial = new DeviceArray<byte>(device, (int)DecoderKernels.PartialBytes(heads, parts));
            device.Launch(DecoderKernels.AttendOne(queries.Pointer, stride, heads, keys.Pointer, values.Pointer, 0, count.Pointer, partial.Pointer, parts));
            device.Launch(DecoderKernels.Merge(partial.Pointer, count.Pointer, parts, heads, output.Pointer));
        }

        var actual = output.Read();
        foreach (var t in compared)
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
