using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Layers;

namespace MASQuant.Cuda.Checks;

/// <summary>The preparing kernels equal the processor bit for bit.</summary>
internal static class PrepareChecks
{
    private static readonly (int Tokens, int Inputs, int Bits, TokenOrder Order)[] Shapes =
    [
        (1, 8, 8, TokenOrder.Rows), (3, 64, 8, TokenOrder.Rows), (2, 4096, 8, TokenOrder.Rows), (7, 200, 6, TokenOrder.Rows),
        .. QuantizationScheme.All.Where(scheme => scheme.QuantizesActivations).Select(scheme => scheme.ActivationBits).Distinct().Select(bits => (5, 1040, bits, TokenOrder.Rows)),
        (1, 8, 4, TokenOrder.Nibbles), (3, 64, 4, TokenOrder.Nibbles), (2, 4096, 4, TokenOrder.Nibbles), (5, 1040, 4, TokenOrder.Nibbles),
    ];

    private static readonly (int Tokens, int Inputs, int Block)[] Rotations = [(3, 72, 8), (2, 4096, 4096), (1, 1280, 256), (1, 8, 2)];

    public static IReadOnlyList<DeviceCheck> All { get; } =
    [
        .. Each("prepare_tokens", Tokens), .. Each("prepare_norm", Norm), .. Each("prepare_gated", Gated),
        .. Rotations.Select(shape => new DeviceCheck($"prepare_tokens: {shape.Tokens} × {shape.Inputs}, rotated in blocks of {shape.Block}", device => Rotated(device, shape.Tokens, shape.Inputs, shape.Block))),
        new("prepare_tokens: 5 × 200, clipped", Clipped),
        new("prepare_tokens: 258 × 136, in tiles", Tiles),
        new("prepare_tokens: zeros, NaN, infinity", NotFinite),
    ];

    private static IEnumerable<DeviceCheck> Each(string kernel, Action<ICudaDevice, int, int, int, TokenOrder> check)
        => Shapes.Select(shape => new DeviceCheck($"{kernel}: {shape.Tokens} × {shape.Inputs}, {shape.Bits} bits{(shape.Order == TokenOrder.Nibbles ? ", nibbles" : "")}", device => check(device, shape.Tokens, shape.Inputs, shape.Bits, shape.Order)));

    private static void Tokens(ICudaDevice device, int tokens, int inputs, int bits, TokenOrder order)
    {
        var problem = new PrepareProblem(tokens, inputs, bits, seed: 1) { Order = order };
        var expected = problem.Expect(problem.X);
        problem.Run(device, out var codes, out var scales, out var smoothed, (smoothing, target) =>
        {
            using var x = new DeviceArray<float>(device, problem.X.Span);
            device.Launch(PrepareKernels.Tokens(x.Pointer, inputs, tokens, inputs, smoothing, target));
        });
        problem.Compare(expected, codes, scales, smoothed);
    }

    private static void Norm(ICudaDevice device, int tokens, int inputs, int bits, TokenOrder order)
    {
        var problem = new PrepareProblem(tokens, inputs, bits, seed: 2) { Order = order };
        var branch = problem.NewMatrix();
        var gain = problem.NewMatrix().Row(0).ToArray();
        var sum = new Matrix(tokens, inputs, [.. problem.X.Span]);
        Residual.Add(sum, branch);
        var normed = new Matrix(tokens, inputs);
        for (var row = 0; row < tokens; row++)
        {
            RmsNorm.Apply(sum.Row(row), gain, 1e-6f, normed.Row(row));
        }

        var expected = problem.Expect(normed);
        float[] hidden = [];
        problem.Run(device, out var codes, out var scales, out var smoothed, (smoothing, target) =>
        {
            using var x = new DeviceArray<float>(device, problem.X.Span);
            using var b = new DeviceArray<float>(device, branch.Span);
            using var g = new DeviceArray<float>(device, gain);
            device.Launch(PrepareKernels.Norm(x.Pointer, b.Pointer, g.Pointer, 1e-6f, tokens, inputs, smoothing, target));
            hidden = x.Read();
        });
        Require.Equal<float>(sum.Data, hidden, "hidden states");
        problem.Compare(expected, codes, scales, smoothed);
    }

    private static void Gated(ICudaDevice device, int tokens, int inputs, int bits, TokenOrder order)
    {
        var problem = new PrepareProblem(tokens, inputs, bits, seed: 3) { Order = order };
        var up = problem.NewMatrix();
        problem.X.Row(0)[0] = 95;
        problem.X.Row(0)[1] = -95;
        problem.X.Row(0)[2] = -110;
        var product = new Matrix(tokens, inputs);
        for (var row = 0; row < tokens; row++)
        {
            Silu.Multiply(problem.X.Row(row), up.Row(row), product.Row(row));
        }

        var expected = problem.Expect(product);
        problem.Run(device, out var codes, out var scales, out var smoothed, (smoothing, target) =>
        {
            // Gate and up as the halves of wider rows.
            var rows = new float[tokens * 2 * inputs];
            for (var row = 0; row < tokens; row++)
            {
                problem.X.Row(row).CopyTo(rows.AsSpan(row * 2 * inputs));
                up.Row(row).CopyTo(rows.AsSpan((row * 2 * inputs) + inputs));
            }

            using var x = new DeviceArray<float>(device, rows);
            device.Launch(PrepareKernels.Gated(x.Pointer, x.Pointer + (inputs * sizeof(float)), 2 * inputs, tokens, inputs, smoothing, target));
        });
        problem.Compare(expected, codes, scales, smoothed);
    }

    private static void Rotated(ICudaDevice device, int tokens, int inputs, int block)
    {
        var problem = new PrepareProblem(tokens, inputs, 8, seed: 6);
        var expected = problem.Expect(problem.X, block);
        problem.Run(device, out var codes, out var scales, out var smoothed, (smoothing, target) =>
        {
            using var x = new DeviceArray<float>(device, problem.X.Span);
            device.Launch(PrepareKernels.Tokens(x.Pointer, inputs, tokens, inputs, smoothing with { Rotation = block }, target));
        });
        problem.Compare(expected, codes, scales, smoothed);
    }

    private static void Clipped(ICudaDevice device)
    {
        float[] clips = [0.8f, 1, 0.55f];
        var problem = new PrepareProblem(5, 200, 4, seed: 7);
        var expected = problem.Expect(problem.X, clips: clips);
        problem.Run(device, out var codes, out var scales, out var smoothed, (smoothing, target) =>
        {
            using var x = new DeviceArray<float>(device, problem.X.Span);
            using var shares = new DeviceArray<float>(device, clips);
            device.Launch(PrepareKernels.Tokens(x.Pointer, 200, 5, 200, smoothing with { Clips = shares.Pointer }, target));
        });
        problem.Compare(expected, codes, scales, smoothed);
    }

    private static void NotFinite(ICudaDevice device)
    {
        var problem = new PrepareProblem(4, 16, 8, seed: 4);
        problem.X.Row(0).Clear();
        problem.X.Row(1)[5] = float.NaN;
        problem.X.Row(2)[15] = float.NegativeInfinity;
        problem.X.Row(3).Fill(1e-31f);
        var expected = problem.Expect(problem.X);
        problem.Run(device, out var codes, out var scales, out var smoothed, (smoothing, target) =>
        {
            using var x = new DeviceArray<float>(device, problem.X.Span);
            device.Launch(PrepareKernels.Tokens(x.Pointer, 16, 4, 16, smoothing, target with { Keep = 0 }));
        });
        Require.Equal<sbyte>(expected.Codes.AsSpan(0, 16), codes.AsSpan(0, 16), "codes of zeros");
        // Whichever NaN it is.
        Require.EqualEach(expected.Scales.AsSpan(0, 4).ToArray().Select(float.IsNaN), [.. scales.Select(float.IsNaN)], "scales that are NaN");
        Require.EqualEach(expected.Scales.AsSpan(0, 4).ToArray().Where(float.IsFinite), [.. scales.Where(float.IsFinite)], "scales");
    }

    /// <summary>Codes stand where Hopper reads them.</summary>
    private static void Tiles(ICudaDevice device)
    {
        // Two tiles, the second with two tokens; two stages, the second with 8 inputs and zeros behind them.
        const int Count = 258, Inputs = 136;
        var problem = new PrepareProblem(Count, Inputs, 8, seed: 5);
        var expected = problem.Expect(problem.X);
        problem.Run(device, out var codes, out _, out _, (smoothing, target) =>
        {
            using var x = new DeviceArray<float>(device, problem.X.Span);
            device.Launch(PrepareKernels.Tokens(x.Pointer, Inputs, Count, Inputs, smoothing, target with { Order = TokenOrder.Tiles }));
        }, (int)GemmKernels.TiledBytes(Count, Inputs));
        Require.That(codes.Length == 2 * 2 * 256 * 128, $"{codes.Length} bytes of tiles");
        for (var row = 0; row < 512; row++)
        {
            for (var k = 0; k < 256; k++)
            {
                // Within 64 inputs word 4t + 2s + h is at place 8s + 4h + t; part p of 16 bytes is at p ^ row % 8. Rows behind M are left alone.
                int word = k / 4 % 16, place = (16 * (k / 64 % 2)) + (8 * (word / 2 % 2)) + (4 * (word % 2)) + (word / 4);
                var start = (((row / 256 * 2) + (k / 128)) * 256 * 128) + (row % 256 * 128);
                var code = codes[start + (((place / 4) ^ (row % 8)) * 16) + (place % 4 * 4) + (k % 4)];
                Require.That(code == (row >= Count ? -1 : k < Inputs ? expected.Codes[(row * Inputs) + k] : 0), $"code {k} of token {row}");
            }
        }
    }
}
