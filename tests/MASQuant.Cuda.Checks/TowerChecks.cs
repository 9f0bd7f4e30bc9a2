using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Checks;

/// <summary>The towers' kernels: exact where the processor's arithmetic is repeated, within a derived bound where tensor cores add.</summary>
internal static class TowerChecks
{
    // Heads that fill their padding and that do not; segments of one row, of part of a tile, of more than one tile.
    private static readonly (int Size, int Heads, int[] Bounds)[] Attentions = [(16, 2, [0, 1, 70]), (64, 1, [0, 64]), (80, 2, [0, 5, 135]), (128, 1, [0, 3, 20])];

    public static IReadOnlyList<DeviceCheck> All { get; } =
    [
        .. Enum.GetValues<Activation>().Select(function => new DeviceCheck($"prepare_activated: {function} of 3 × 1100", device => Prepare(device, function))),
        .. Attentions.Select(shape => new DeviceCheck($"tower attention: {shape.Heads} heads of {shape.Size}, segments at {string.Join(' ', shape.Bounds)}", device => Attend(device, shape.Size, shape.Heads, shape.Bounds))),
    ];

    private static void Prepare(ICudaDevice device, Activation function)
    {
        const int Rows = 3;
        const int Inputs = 1100; // more than a block's threads take at once, and not a multiple of 64
        var x = Enumerable.Range(0, Rows * Inputs).Select(i => (i - 1650) * 0.01f).ToArray();
        (x[0], x[1], x[2]) = (-0f, 200, -200);
        using var source = new DeviceArray<float>(device, x);
        using var prepared = new DeviceArray<ushort>(device, Rows * PrepareKernels.Stride(Inputs));
        device.Launch(TowerKernels.Activate(source.Pointer, Rows, Inputs, prepared.Pointer, (int)function));
        Gelu.Apply(x.AsSpan(), function);
        var padding = new ushort[PrepareKernels.Stride(Inputs) - Inputs];
        Require.EqualEach(Enumerable.Range(0, Rows).SelectMany(row => x.Skip(row * Inputs).Take(Inputs).Select(BFloat16.FromSingle).Concat(padding)), prepared.Read(), "prepared values");
    }

    public static void Attend(ICudaDevice device, int size, int heads, int[] bounds)
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

        using var tiles = new DeviceArray<int>(device, TowerKernels.Tiles(bounds));
        using var output = new DeviceArray<float>(device, rows * width);
        output.Fill(0xFF);
        device.Launch(TowerKernels.Attend(operands, heads, size, tiles.Pointer, TowerKernels.Tiles(bounds).Length / 4, output.Pointer));

        // The processor's rotation, in FP32: exact. Padding is zero.
        for (var t = 0; t < rows; t++)
        {
            Rotary.Rotate(qkv.AsSpan(t * stride, 2 * width), angles.AsSpan(t * size / 2, size / 2), angles.AsSpan((rows + t) * size / 2, size / 2));
        }

        IEnumerable<float> Padded(int part) => Enumerable.Range(0, rows * heads).SelectMany(i => qkv.Skip((i / heads * stride) + (part * width) + (i % heads * size)).Take(size).Concat(new float[padded - size]));
        Require.EqualEach(Padded(0), queries.Read(), "queries");
        Require.EqualEach(Padded(1).Select(BFloat16.FromSingle), keys.Read(), "keys");
        Require.EqualEach(Padded(2).Select(BFloat16.FromSingle), values.Read(), "values");

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
