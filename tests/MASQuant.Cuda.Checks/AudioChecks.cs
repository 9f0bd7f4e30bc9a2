using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Checks;

/// <summary>The audio tower's kernels give the processor's values bit for bit, rounded where BF16 is written.</summary>
internal static class AudioChecks
{
    public static IReadOnlyList<DeviceCheck> All { get; } =
    [
        new("prepare_layer_norm: 2 × 1100", device => Normalize(device, 1100)),
        new("prepare_layer_norm: 2 × 20", device => Normalize(device, 20)),
        new("prepare_taps: 2 × 100", device => Taps(device, activated: false)),
        new("prepare_taps: 2 × 100, activated", device => Taps(device, activated: true)),
        new("place_rows, pool_rows: 4 × 36", Rows),
    ];

    public static void Normalize(ICudaDevice device, int inputs)
    {
        const int Count = 2;
        var stride = PrepareKernels.Stride(inputs);
        float[] hidden = Values(1, Count * inputs), branch = Values(2, Count * inputs), gain = Values(3, inputs), bias = Values(4, inputs);
        float[] sums = [.. hidden.Zip(branch, (a, b) => a + b)];
        using var x = new DeviceArray<float>(device, hidden);
        using var added = new DeviceArray<float>(device, branch);
        using var gains = new DeviceArray<float>(device, gain);
        using var biases = new DeviceArray<float>(device, bias);
        using var prepared = new DeviceArray<ushort>(device, Count * stride);
        device.Launch(TowerKernels.LayerNorm(x.Pointer, added.Pointer, gains.Pointer, biases.Pointer, 1e-5f, Count, inputs, prepared.Pointer));
        Require.Equal<float>(sums, x.Read(), "hidden states");
        for (var row = 0; row < Count; row++)
        {
            var expected = new float[inputs];
            LayerNorm.Apply(sums.AsSpan(row * inputs, inputs), gain, bias, 1e-5f, expected);
            Require.EqualEach(expected.Select(BFloat16.FromSingle).Concat(new ushort[stride - inputs]), prepared.Read().AsSpan(row * stride, stride).ToArray(), $"row {row}");
        }
    }

    private static void Taps(ICudaDevice device, bool activated)
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

        Require.EqualEach(Enumerable.Range(0, 2).SelectMany(row => Enumerable.Range(0, stride).Select(k =>
        {
            var source = k < 3 * Columns ? taps[(3 * row) + (k % 3)] : -1;
            return source < 0 ? (ushort)0 : BFloat16.FromSingle(values[(source * Columns) + (k / 3)]);
        })), prepared.Read(), "rows");
    }

    private static void Rows(ICudaDevice device)
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
        Require.EqualEach(Enumerable.Range(0, 2 * Columns).Select(i => (sums[(i % Columns) + (i / Columns * 2 * Columns)] + sums[(i % Columns) + (((i / Columns * 2) + 1) * Columns)]) * 0.5f), pooled.Read(), "pooled rows");
        Gelu.Apply(values.AsSpan());
        Require.EqualEach(Enumerable.Range(0, 4 * Columns).Select(i => values[i] + others[(places[i / Columns] * Columns) + (i % Columns)]), placed.Read(), "placed rows");
    }

    private static float[] Values(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 6) - 3)];
    }
}
