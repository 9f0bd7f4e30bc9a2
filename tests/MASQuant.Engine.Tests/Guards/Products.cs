using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tensors;
using MASQuant.Engine.Tests.Gemm;
using MASQuant.Formats.Schemes;
using MASQuant.Tests.Guards;

namespace MASQuant.Engine.Tests.Guards;

/// <summary>Whole products: operands, results and the working memory between them are guarded. Each is run twice, since the first run says how much working memory it asks for; both give the same.</summary>
internal static class Products
{
    /// <summary>Quantized layers.</summary>
    public static void Quantized(GuardedMemory memory, Action<string> say)
    {
        foreach (var scheme in QuantizationScheme.All)
        {
            var unit = scheme.QuantizesActivations ? 8 : PackingLayout.GroupSize;
            foreach (var (tokens, outputs, inputs) in from tokens in new[] { 1, 2, 3, 5, 13, 29 } from shape in new[] { (16, 1), (48, 5), (80, 9) } select (tokens, shape.Item1, shape.Item2 * unit))
            {
                var problem = new QuantizedProblem(tokens, outputs, inputs, scheme, seed: tokens + inputs, bias: inputs != 5 * unit, groupScales: scheme.SupportsGroupScales && inputs % PackingLayout.GroupSize == 0)
                {
                    RotationBlock = tokens % 2 == 0 ? BlockHadamard.LargestBlock(inputs) : 0,
                };
                foreach (var target in CpuTargets.All(1))
                {
                    say($"{target.Level}, VNNI {target.UsesVnni}, {scheme}, tokens {tokens}, outputs {outputs}, inputs {inputs}");
                    Run(memory, problem, new CpuGemmBackend(target));
                }
            }
        }
    }

    /// <summary>Tokens of any width, which only layers restrict.</summary>
    public static void Tokens(GuardedMemory memory, Action<string> say)
    {
        for (var columns = 1; columns <= 130; columns++)
        {
            say($"{columns} columns");
            var random = new RandomValues(columns);
            var input = new InputTransform([memory.Array(random.Array(columns)), [], memory.Array(random.Array(columns))], BlockHadamard.LargestBlock(columns));
            var tokens = new PreparedTokens();
            tokens.Reset(3, columns, ModalityMap.Text(3));
            GuardedBuffers.Guard(memory, tokens);
            new CpuGemmBackend().Prepare(memory.Matrix(random.Matrix(3, columns)), new ModalityMap([Modality.Text, Modality.Vision, Modality.Audio]), input, QuantizationScheme.W4A8, tokens);
        }
    }

    /// <summary>FP32 products in every order of storage, and of rows that lie in something wider.</summary>
    public static void Floats(GuardedMemory memory, Action<string> say)
    {
        foreach (var (m, k) in new[] { (1, 1), (1, 64), (2, 7), (5, 513), (13, 3), (29, 40) })
        {
            for (var n = 1; n <= 66; n += n < 34 || n > 61 ? 1 : 9)
            {
                foreach (var target in CpuTargets.All(1))
                {
                    say($"{target.Level}, {m} × {n} × {k}");
                    Orders(memory, m, n, k, target);
                }
            }
        }
    }

    /// <summary>Packed weights, FP32 and BF16.</summary>
    public static void Packed(GuardedMemory memory, Action<string> say)
    {
        foreach (var (m, k) in new[] { (1, 1), (1, 64), (4, 7), (33, 513) })
        {
            for (var n = 1; n <= 66; n += n < 34 || n > 61 ? 1 : 9)
            {
                foreach (var target in CpuTargets.All(1))
                {
                    say($"{target.Level}, {m} × {n} × {k}");
                    var random = new RandomValues(n);
                    var (x, bias) = (memory.Matrix(random.Matrix(m, k)), random.Array(n));
                    foreach (var weight in new[] { DenseWeight.FromFloats(memory.Matrix(random.Matrix(n, k))), DenseWeight.FromBFloat16(memory.Span<byte>(new byte[n * k * 2]), n, k) })
                    {
                        Twice(memory, guarded =>
                        {
                            if (guarded)
                            {
                                GuardedBuffers.Guard(memory, weight);
                            }

                            var y = memory.Matrix(new Matrix(m, n));
                            FloatGemm.Multiply(x, weight, memory.Span<float>(bias), y, target);
                            return y.Span.ToArray();
                        });
                    }
                }
            }
        }
    }

    private static void Orders(GuardedMemory memory, int m, int n, int k, CpuTarget target)
    {
        var random = new RandomValues((m * 7919) + (n * 31) + k);
        foreach (var (transposeA, transposeB) in new[] { (false, false), (false, true), (true, false), (true, true) })
        {
            var a = memory.Matrix(transposeA ? random.Matrix(k, m) : random.Matrix(m, k));
            var b = memory.Matrix(transposeB ? random.Matrix(n, k) : random.Matrix(k, n));
            Twice(memory, _ =>
            {
                var c = memory.Matrix(new Matrix(m, n));
                FloatGemm.Multiply(a, transposeA, b, transposeB, c, accumulate: true, target);
                return c.Span.ToArray();
            });
        }

        // The last row of each has nothing behind it.
        ReadOnlySpan<float> rowsA = Strided(m, k), rowsB = Strided(n, k), columnsA = Strided(k, m), columnsB = Strided(k, n);
        var result = memory.Span(Strided(m, n));
        FloatGemm.MultiplyNT(m, n, k, memory.Span(rowsA), k + 3, memory.Span(rowsB), k + 3, result, n + 3, target: target);
        FloatGemm.MultiplyNN(m, n, k, memory.Span(rowsA), k + 3, memory.Span(columnsB), n + 3, result, n + 3, accumulate: true, target);
        FloatGemm.MultiplyTN(m, n, k, memory.Span(columnsA), m + 3, memory.Span(columnsB), n + 3, result, n + 3, target: target);

        ReadOnlySpan<float> Strided(int rows, int columns) => random.Array(((rows - 1) * (columns + 3)) + columns);
    }

    private static void Run(GuardedMemory memory, QuantizedProblem problem, CpuGemmBackend backend)
    {
        var weight = problem.Weight with
        {
            Codes = memory.Memory(problem.Weight.Codes),
            Scales = memory.Memory(problem.Weight.Scales),
            ZeroPoints = memory.Memory(problem.Weight.ZeroPoints),
            GroupScales = memory.Memory(problem.Weight.GroupScales),
            Bias = memory.Memory(problem.Weight.Bias),
            Patches = [.. problem.Weight.Patches.Select(patch => patch is null ? null : new LowRankFactors(memory.Matrix(patch.L1), memory.Matrix(patch.L2)))],
        };
        var input = problem.Input with { InverseSmoothing = [.. problem.InverseSmoothing.Select(memory.Array)] };
        var x = memory.Matrix(problem.X);
        var tokens = new PreparedTokens();
        Twice(memory, guarded =>
        {
            if (guarded)
            {
                GuardedBuffers.Guard(memory, tokens);
            }

            var y = memory.Matrix(new Matrix(x.Rows, weight.Outputs));
            backend.Prepare(x, problem.Modalities, input, weight.Scheme, tokens);
            backend.Multiply(tokens, weight, y);
            return y.Span.ToArray();
        });
    }

    private static void Twice(GuardedMemory memory, Func<bool, float[]> product)
    {
        GuardedBuffers.Forget();
        var first = product(false);
        GuardedBuffers.GuardScratch(memory);
        Bits.AssertSame(first, product(true));
        GuardedBuffers.Forget();
    }
}
