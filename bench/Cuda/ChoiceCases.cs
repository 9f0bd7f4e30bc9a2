using System.Runtime.InteropServices;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Generation;

namespace MASQuant.Bench.Cuda;

/// <summary>The choice of a token from the logits of each sequence of a step: the largest, and what chance draws.</summary>
internal static class ChoiceCases
{
    private const ulong Half = 1ul << 63;

    /// <summary>What a vocabulary's rows are called.</summary>
    public static string Shape(BenchPlan plan) => $"{plan.Large.Config.VocabularySize} logits";

    private static (string Name, TokenDraw Draw)[] Choices =>
    [
        ("greedy choice", default),
        ("draw T=1", new TokenDraw(Half, 0, 1, 0)),
        ("draw T=1 k=20", new TokenDraw(Half, 0, 1, 20)),
        ("draw T=1 p=0.75", new TokenDraw(Half, Half + (Half / 2), 1, 0)),
        ("draw T=1 k=20 p=0.75", new TokenDraw(Half, Half + (Half / 2), 1, 20)),
    ];

    public static IEnumerable<BenchCase> Of(BenchPlan plan)
        => from choice in Choices
           from rows in plan.Batches
           select new BenchCase(choice.Name, Shape(plan), rows);

    public static void Run(DeviceBench bench, Results results)
    {
        var (device, vocabulary) = (bench.Device, bench.Plan.Large.Config.VocabularySize);
        foreach (var rows in bench.Plan.Batches)
        {
            using var logits = device.Allocate((long)rows * vocabulary * sizeof(float));
            using var draws = device.Allocate(rows * TokenDraw.Bytes);
            using var parts = device.Allocate((long)rows * TokenKernels.ChoiceParts(vocabulary) * TokenKernels.ChoiceBytes);
            using var chosen = device.Allocate(rows * TokenKernels.ChoiceBytes);
            device.Write(logits.Pointer, MemoryMarshal.AsBytes(Logits(rows * vocabulary).AsSpan()));
            foreach (var (name, draw) in Choices)
            {
                device.Write(draws.Pointer, MemoryMarshal.AsBytes(Enumerable.Repeat(draw, rows).ToArray().AsSpan()));
                results.Add(new BenchCase(name, Shape(bench.Plan), rows), bench.Median(1, _ =>
                {
                    device.Launch(TokenKernels.ChooseParts(logits.Pointer, vocabulary, parts.Pointer, rows));
                    device.Launch(TokenKernels.Choose(parts.Pointer, vocabulary, chosen.Pointer, rows));
                    if (draw.Scale != 0)
                    {
                        device.Launch(TokenKernels.Draw(logits.Pointer, vocabulary, draws.Pointer, chosen.Pointer, rows));
                    }
                }));
            }
        }
    }

    // Normal with a deviation of 3: few tokens have most of the probability, as in a model.
    private static float[] Logits(int count)
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(3 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }
}
