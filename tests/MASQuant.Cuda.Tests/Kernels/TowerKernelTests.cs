using MASQuant.Gemm.Cuda;
using MASQuant.Gemm.Cuda.Driver;
using MASQuant.Layers;
using MASQuant.Ptx;
using MASQuant.Safetensors;

namespace MASQuant.Tests.Kernels;

/// <summary>The towers' kernels: exact where the processor's arithmetic is repeated, within a derived bound where tensor cores add.</summary>
public class TowerKernelTests
{
    // Heads that fill their padding and that do not; segments of one row, of part of a tile, of more than one tile.
    public static TheoryData<int, int, int[]> Attentions => new() { { 16, 2, [0, 1, 70] }, { 64, 1, [0, 64] }, { 80, 2, [0, 5, 135] }, { 128, 1, [0, 3, 20] } };

    [Theory]
    [MemberData(nameof(Attentions))]
    public void SegmentsAttendToThemselves(int size, int heads, int[] bounds) => CheckAttention(new EmulatedDevice(), size, heads, bounds);

    [Fact]
    public void PreparedGelusAreTheProcessorsRounded() => CheckGelu(new EmulatedDevice());

    [CudaFact]
    public void TheGpuDoesTheSame()
    {
        using var device = CudaDevice.Open(0);
        CheckGelu(device);
        foreach (var attention in Attentions)
        {
            CheckAttention(device, (int)attention[0], (int)attention[1], (int[])attention[2]);
        }
    }

    [Fact]
    public void TilesCoverEverySegmentOnce()
        => Assert.Equal([0, 5, 0, 5, 5, 69, 5, 75, 69, 75, 5, 75], TowerKernels.Tiles([0, 5, 75]));

    [Theory]
    [InlineData(@"bar\.sync\s+0;", "", 0)]
    [InlineData(@"bar\.sync\s+0;", "", 1)]
    [InlineData(@"cp\.async\.wait_group 1;", "cp.async.wait_group 2;", 0)]
    public void AttentionWithoutOneOfItsWaitsIsReported(string pattern, string replacement, int occurrence)
    {
        var error = Assert.Throws<PtxException>(() => CheckAttention(new EmulatedDevice(Mutation.Replace("attend_segment_32", pattern, replacement, occurrence)), 32, 1, [0, 200]));
        Assert.Contains(error.Fault, (PtxFault[])[PtxFault.Race, PtxFault.IncompleteCopy, PtxFault.UninitializedShared]);
    }

    private static void CheckGelu(ICudaDevice device)
    {
        const int Rows = 3;
        const int Inputs = 1100; // more than a block's threads take at once, and not a multiple of 64
        var x = Enumerable.Range(0, Rows * Inputs).Select(i => (i - 1650) * 0.01f).ToArray();
        (x[0], x[1], x[2]) = (-0f, 200, -200);
        using var source = new DeviceArray<float>(device, x);
        using var prepared = new DeviceArray<ushort>(device, Rows * PrepareKernels.Stride(Inputs));
        device.Launch(TowerKernels.Gelu(source.Pointer, Rows, Inputs, prepared.Pointer));
        Gelu.Apply(x.AsSpan());
        var padding = new ushort[PrepareKernels.Stride(Inputs) - Inputs];
        Assert.Equal(Enumerable.Range(0, Rows).SelectMany(row => x.Skip(row * Inputs).Take(Inputs).Select(BFloat16.FromSingle).Concat(padding)), prepared.Read());
    }

    private static void CheckAttention(ICudaDevice device, int size, int heads, int[] bounds)
    {
        var (random, rows, width, padded) = (new Random(size), bounds[^1], heads * size, TowerKernels.PaddedHead(size));
        var stride = (3 * width) + 4;
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 4) - 2)];
        float[] qkv = Values(rows * stride), angles = Values(rows * size);
        using var source = new DeviceArray<float>(device, qkv);
        using var turns = new DeviceArray<float>(device, angles);
        using var queries = new DeviceArray<float>(device, rows * heads * padded);
        using var keys = new DeviceArray<ushort>(device, rows * heads * padded);
        using var values = new DeviceArray<ushort>(device, rows * heads * padded);
        var operands = new TowerHeads(queries.Pointer, keys.Pointer, values.Pointer);
        device.Launch(TowerKernels.Split(source.Pointer, stride, heads, size, turns.Pointer, rows, operands));

        // The processor's rotation, in FP32: exact. Padding is zero.
        for (var t = 0; t < rows; t++)
        {
            Rotary.Rotate(qkv.AsSpan(t * stride, 2 * width), angles.AsSpan(t * size / 2, size / 2), angles.AsSpan((rows + t) * size / 2, size / 2));
        }

        IEnumerable<float> Padded(int part) => Enumerable.Range(0, rows * heads).SelectMany(i => qkv.Skip((i / heads * stride) + (part * width) + (i % heads * size)).Take(size).Concat(new float[padded - size]));
        Assert.Equal(Padded(0), queries.Read());
        Assert.Equal(Padded(1).Select(BFloat16.FromSingle), keys.Read());
        Assert.Equal(Padded(2).Select(BFloat16.FromSingle), values.Read());

        using var tiles = new DeviceArray<int>(device, TowerKernels.Tiles(bounds));
        using var output = new DeviceArray<float>(device, rows * width);
        device.Launch(TowerKernels.Attend(operands, heads, size, tiles.Pointer, TowerKernels.Tiles(bounds).Length / 4, output.Pointer));
        var (k, v, actual) = (keys.Read(), values.Read(), output.Read());
        for (var t = 0; t < rows; t++)
        {
            var segment = bounds.Count(bound => bound <= t);
            for (var head = 0; head < heads; head++)
            {
                var (start, column) = (bounds[segment - 1], head * padded);
                AttentionBound.Check(qkv.AsSpan((t * stride) + (head * size), size), key => k.AsSpan(((start + key) * heads * padded) + column, size),
                    key => v.AsSpan(((start + key) * heads * padded) + column, size), bounds[segment] - start, actual.AsSpan((t * width) + (head * size), size));
            }
        }
    }
}
