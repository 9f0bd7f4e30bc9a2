using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Generation;

namespace MASQuant.Cuda.Checks;

/// <summary>The token that chance draws on a device is the sampler's, always: same logits, same numbers, same token.</summary>
internal static class DrawChecks
{
    private static readonly double[] Temperatures = [0.7, 1e-3, 1, 100, 1e-300, 2];
    private static readonly double[] LeastPortions = [0, 0, 1e-3, 0.3, 1];
    private static readonly double[] Portions = [1, 0.8, 0.5, 1e-6, 0.999999, 1 - 1e-16, 0.3];

    // Fewer logits than a warp has lanes, than a block has threads, than a digit has values, and more; the last as many as a model has.
    private static readonly (int Vocabulary, int Trials, int Rows)[] Shapes = [(1, 6, 8), (2, 6, 8), (31, 6, 8), (300, 6, 8), (1025, 6, 8), (4097, 2, 8), (20_000, 2, 8), (152_064, 1, 6)];

    // The last token that weighs anything; a portion that one of two reaches, and that it does not; what is no number, of the sign that some machines give it, is not among the largest.
    private static readonly (float[] Logits, TokenDraw Draw, int Id)[] Edges =
    [
        ([0, .. Enumerable.Range(0, 300).Select(i => -26 - (i * 0.01f))], new TokenDraw(ulong.MaxValue, 0, 1, 0), 173),
        ([1, 1], new TokenDraw(ulong.MaxValue, 1ul << 63, 1, 0), 0),
        ([1, 1], new TokenDraw(ulong.MaxValue, (1ul << 63) + 1, 1, 0), 1),
        ([0, 0, 1], new TokenDraw(0, 0, 1, 0, 1ul << 39), 2),
        ([1, 0, 0, 0], new TokenDraw(ulong.MaxValue, 1ul << 63, 1, 0, 1ul << 37), 1), // e⁻¹ of the largest is more than a quarter, of which p of all keeps one
        ([1, 0, 0, 0], new TokenDraw(ulong.MaxValue, 1ul << 63, 1, 0, 1ul << 38), 0), // and less than a half
        ([BitConverter.UInt32BitsToSingle(0x7FFFFFFF), float.NaN, 1, 2, 3], new TokenDraw(0, 0, 1, 2), 3),
    ];

    public static IReadOnlyList<DeviceCheck> All { get; } =
    [
        new("draw: where a token starts to count", CheckEdges),
        .. Shapes.Select(shape => new DeviceCheck($"draw: {shape.Trials} times {shape.Rows} × {shape.Vocabulary}", device => Check(device, shape.Vocabulary, shape.Trials, shape.Rows))),
    ];

    private static void CheckEdges(ICudaDevice device)
    {
        foreach (var (logits, draw, id) in Edges)
        {
            var (drawn, expected) = (Draw(device, logits, [draw])[0].Id, new Sampler(new GenerationOptions()).Next(logits, draw));
            Require.That(drawn == id && expected == id, $"{draw}: {drawn} is drawn, by the sampler {expected}, instead of {id}");
        }
    }

    private static void Check(ICudaDevice device, int vocabulary, int trials, int rows)
    {
        var random = new Random(vocabulary);
        var sampler = new Sampler(new GenerationOptions());
        for (var trial = 0; trial < trials; trial++)
        {
            var logits = new float[rows * vocabulary];
            var draws = new TokenDraw[rows];
            for (var row = 0; row < rows; row++)
            {
                Fill(logits.AsSpan(row * vocabulary, vocabulary), random);
                draws[row] = new Sampler(Options(random, vocabulary)).NextDraw();
                draws[row] = random.Next(6) switch { 0 => draws[row] with { Random = 0 }, 1 => draws[row] with { Random = ulong.MaxValue }, _ => draws[row] };
            }

            var chosen = Draw(device, logits, draws);
            for (var row = 0; row < rows; row++)
            {
                var expected = sampler.Next(logits.AsSpan(row * vocabulary, vocabulary), draws[row]);
                var largest = logits.AsSpan(row * vocabulary, vocabulary).ToArray().Where(logit => !float.IsNaN(logit)).Max();
                Require.That(chosen[row] == (largest, expected), $"{draws[row]}: {chosen[row]} instead of {(largest, expected)}");
            }
        }
    }

    private static GenerationOptions Options(Random random, int vocabulary)
    {
        int[] k = [0, 0, 1, 2, 20, vocabulary - 1, vocabulary, int.MaxValue];
        return new GenerationOptions
        {
            Temperature = random.Next(8) == 0 ? 0 : Temperatures[random.Next(Temperatures.Length)],
            TopK = k[random.Next(k.Length)],
            TopP = Portions[random.Next(Portions.Length)],
            MinP = LeastPortions[random.Next(LeastPortions.Length)],
            Seed = (ulong)random.NextInt64(),
        };
    }

    // All different, a few values with many equals, all equal, zeros of both signs, or some that cannot be drawn; always one that can.
    private static void Fill(Span<float> logits, Random random)
    {
        float[] odd = [float.NaN, float.NegativeInfinity, 0f, -0f, -1e30f, 3];
        var kind = random.Next(6);
        foreach (ref var logit in logits)
        {
            logit = kind switch
            {
                0 => (float)(random.NextDouble() * 20) - 10,
                1 => random.Next(-4, 3),
                2 => -7.5f,
                3 => random.Next(4) == 0 ? odd[random.Next(odd.Length)] : (float)random.NextDouble(),
                4 => random.Next(2) == 0 ? 0f : -0f,
                _ => (float)(random.NextDouble() * 1e-3) - 80,
            };
        }

        logits[random.Next(logits.Length)] = 3;
    }

    public static (float Largest, int Id)[] Draw(ICudaDevice device, float[] values, TokenDraw[] draws)
    {
        var (rows, vocabulary) = (draws.Length, values.Length / draws.Length);
        using var logits = new DeviceArray<float>(device, values);
        using var parameters = new DeviceArray<byte>(device, MemoryMarshal.AsBytes(draws.AsSpan()).ToArray());
        using var parts = new DeviceArray<long>(device, rows * TokenKernels.ChoiceParts(vocabulary));
        using var chosen = new DeviceArray<long>(device, rows);
        device.Launch(TokenKernels.ChooseParts(logits.Pointer, vocabulary, parts.Pointer, rows));
        device.Launch(TokenKernels.Choose(parts.Pointer, vocabulary, chosen.Pointer, rows));
        device.Launch(TokenKernels.Draw(logits.Pointer, vocabulary, parameters.Pointer, chosen.Pointer, rows));
        return [.. chosen.Read().Select(choice => (BitConverter.Int32BitsToSingle((int)choice), (int)(choice >> 32)))];
    }
}
