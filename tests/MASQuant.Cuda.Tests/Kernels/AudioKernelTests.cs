using MASQuant.Gemm.Cuda;
using MASQuant.Gemm.Cuda.Driver;
using MASQuant.Layers;
using MASQuant.Ptx;
using MASQuant.Safetensors;

namespace MASQuant.Tests.Kernels;

/// <summary>The audio tower's kernels give the processor's values bit for bit, rounded where BF16 is written.</summary>
public class AudioKernelTests
{
    [Fact]
    public void EachEqualsTheProcessor() => Check(new EmulatedDevice());

    [CudaFact]
    public void EachEqualsTheProcessorOnTheGpu()
    {
        using var device = CudaDevice.Open(0);
        Check(device);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void ALayerNormWithoutOneOfItsBarriersIsReported(int occurrence)
    {
        var device = new EmulatedDevice(Mutation.Replace("prepare_layer_norm", @"bar\.sync\s+0;", "", occurrence));
        var error = Assert.Throws<PtxException>(() => CheckLayerNorm(device, 400));
        Assert.Contains(error.Fault, (PtxFault[])[PtxFault.Race, PtxFault.UninitializedShared]);
    }

    private static void Check(ICudaDevice device)
    {
        CheckLayerNorm(device, 1100);
        CheckLayerNorm(device, 20);
        CheckTaps(device, activated: false);
        CheckTaps(device, activated: true);
        CheckRows(device);
    }

    private static void CheckLayerNorm(ICudaDevice device, int inputs)
    {
        const int Rows = 2;
        var stride = PrepareKernels.Stride(inputs);
        float[] hidden = Values(1, Rows * inputs), branch = Values(2, Rows * inputs), gain = Values(3, inputs), bias = Values(4, inputs);
        float[] sums = [.. hidden.Zip(branch, (a, b) => a + b)];
        using var x = new DeviceArray<float>(device, hidden);
        using var added = new DeviceArray<float>(device, branch);
        using var gains = new DeviceArray<float>(device, gain);
        using var biases = new DeviceArray<float>(device, bias);
        using var prepared = new DeviceArray<ushort>(device, Rows * stride);
        device.Launch(TowerKernels.LayerNorm(x.Pointer, added.Pointer, gains.Pointer, biases.Pointer, 1e-5f, Rows, inputs, prepared.Pointer));
        Assert.Equal(sums, x.Read());
        for (var row = 0; row < Rows; row++)
        {
            var expected = new float[inputs];
            LayerNorm.Apply(sums.AsSpan(row * inputs, inputs), gain, bias, 1e-5f, expected);
            Assert.Equal(expected.Select(BFloat16.FromSingle).Concat(new ushort[stride - inputs]), prepared.Read().Skip(row * stride).Take(stride));
        }
    }

    private static void CheckTaps(ICudaDevice device, bool activated)
    {
        const int Columns = 100;
        var (values, stride) = (Values(5, 4 * Columns), PrepareKernels.Stride(3 * Columns));
        int[] taps = [-1, 0, 1, 2, 3, -1];
        using var x = new DeviceArray<float>(device, values);
        using var sources = new DeviceArray<int>(device, taps);
        using var prepared = new DeviceArray<ushort>(device, 2 * stride);
        device.Launch(TowerKernels.Taps(x.Pointer, Columns, sources.Pointer, 2, activated, prepared.Pointer));
        if (activated)
        {
            Gelu.Apply(values.AsSpan());
        }

        Assert.Equal(Enumerable.Range(0, 2).SelectMany(row => Enumerable.Range(0, stride).Select(k =>
        {
            var source = k < 3 * Columns ? taps[(3 * row) + (k % 3)] : -1;
            return source < 0 ? (ushort)0 : BFloat16.FromSingle(values[(source * Columns) + (k / 3)]);
        })), prepared.Read());
    }

    private static void CheckRows(ICudaDevice device)
    {
        const int Columns = 36;
        float[] values = Values(6, 4 * Columns), others = Values(7, 4 * Columns);
        int[] places = [1, 0, 3, 3];
        using var x = new DeviceArray<float>(device, values);
        using var y = new DeviceArray<float>(device, others);
        using var sources = new DeviceArray<int>(device, places);
        using var placed = new DeviceArray<float>(device, 4 * Columns);
        using var pooled = new DeviceArray<float>(device, 2 * Columns);
        device.Launch(TowerKernels.Place(x.Pointer, y.Pointer, sources.Pointer, 4, Columns, placed.Pointer));
        device.Launch(TowerKernels.Pool(x.Pointer, y.Pointer, 2, Columns, pooled.Pointer));
        float[] sums = [.. values.Zip(others, (a, b) => a + b)];
        Assert.Equal(Enumerable.Range(0, 2 * Columns).Select(i => (sums[(i % Columns) + (i / Columns * 2 * Columns)] + sums[(i % Columns) + (((i / Columns * 2) + 1) * Columns)]) * 0.5f), pooled.Read());
        Gelu.Apply(values.AsSpan());
        Assert.Equal(Enumerable.Range(0, 4 * Columns).Select(i => values[i] + others[(places[i / Columns] * Columns) + (i % Columns)]), placed.Read());
    }

    private static float[] Values(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 6) - 3)];
    }
}
