using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Checks;

/// <summary>Products of BF16 tokens and BF16 weights: the head and layers that are not quantized.</summary>
internal static class DenseChecks
{
    private static readonly (int Tokens, int Outputs, int Inputs)[] Shapes = [(1, 48, 4104), (8, 32, 64), (13, 96, 520), (130, 144, 1032)];

    public static IReadOnlyList<DeviceCheck> All { get; } =
        [.. Shapes.Select(shape => new DeviceCheck($"product: BF16, {shape.Tokens} × {shape.Outputs} × {shape.Inputs}", device => Check(device, shape.Tokens, shape.Outputs, shape.Inputs)))];

    private static void Check(ICudaDevice device, int tokens, int outputs, int inputs)
    {
        var random = new Random(1);
        var stride = PrepareKernels.Stride(inputs);
        ushort[] x = NewBits(random, tokens * stride), w = NewBits(random, outputs * inputs);
        for (var i = 0; i < x.Length; i++)
        {
            x[i] = i % stride < inputs ? x[i] : (ushort)0;
        }

        using var rows = new DeviceArray<ushort>(device, x);
        using var codes = new DeviceArray<ushort>(device, FragmentOrder.PackBFloat16((n, k) => BFloat16.ToSingle(w[(n * inputs) + k]), outputs, inputs, outputs));
        using var y = new DeviceArray<float>(device, tokens * outputs);
        var plan = GemmKernels.Plan(WeightFormat.BFloat16, tokens, outputs, inputs, device.Multiprocessors);
        using var partial = new DeviceArray<byte>(device, (int)Math.Max(1, plan.PartialBytes));
        using var counters = new DeviceArray<int>(device, new int[Math.Max(1, plan.Counters)]);
        var weight = new WeightPointers(WeightFormat.BFloat16, outputs, inputs, codes.Pointer, DevicePointer.Null, DevicePointer.Null, DevicePointer.Null);
        device.Launch(GemmKernels.Multiply(plan, weight, new TokenPointers(rows.Pointer, stride, DevicePointer.Null, DevicePointer.Null, tokens), default, y.Pointer, outputs, partial.Pointer, counters.Pointer));

        var actual = y.Read();
        for (var m = 0; m < tokens; m++)
        {
            for (var n = 0; n < outputs; n++)
            {
                var (sum, magnitude) = (0.0, 0.0);
                for (var k = 0; k < inputs; k++)
                {
                    var product = (double)BFloat16.ToSingle(x[(m * stride) + k]) * BFloat16.ToSingle(w[(n * inputs) + k]);
                    (sum, magnitude) = (sum + product, magnitude + Math.Abs(product));
                }

                // Products are exact; each of K sums rounds, or truncates, by at most 2⁻²³ of the sum of magnitudes.
                Require.Near(sum, actual[(m * outputs) + n], magnitude * inputs / (1 << 23), $"token {m}, output {n}");
            }
        }
    }

    private static ushort[] NewBits(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => BFloat16.FromSingle((float)(random.NextDouble() - 0.5)))];
}
