using System.Runtime.InteropServices;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tests.Gemm;

namespace MASQuant.Engine.Tests.Arm64;

/// <summary>Products between marks that <c>bench/instructions</c> counts instructions between, each of 1 thread and [M, 1024] · [1024, 1024]ᵀ.</summary>
internal static partial class CountedRun
{
    private const int Mark = 0x4D51; // No call of the system has this number, which the counting plugin knows.
    private const int Size = 1024;
    private const int WarmUps = 2;

    /// <summary>Prints a line before each count: the product and M.</summary>
    public static void Run()
    {
        var target = CpuTarget.ThisMachine with { Threads = 1 };
        Console.WriteLine(target.Level);
        foreach (var tokens in (int[])[1, 16, 256])
        {
            foreach (var scheme in (QuantizationScheme[])[QuantizationScheme.W4A8, QuantizationScheme.W8A8])
            {
                var problem = new QuantizedProblem(tokens, Size, Size, scheme, rank: 0) { Modalities = ModalityMap.Text(tokens) };
                var backend = new CpuGemmBackend(target);
                Count(scheme.ToString(), tokens, () => problem.Run(backend));
            }

            var random = new RandomValues(1);
            var (x, y, weight) = (random.Matrix(tokens, Size), new Matrix(tokens, Size), DenseWeight.FromFloats(random.Matrix(Size, Size)));
            Count("FP32", tokens, () => FloatGemm.Multiply(x, weight, [], y, target));
        }
    }

    private static void Count(string name, int tokens, Action product)
    {
        for (var i = 0; i < WarmUps; i++)
        {
            product();
        }

        Console.WriteLine($"{name} {tokens}");
        _ = Call(Mark);
        product();
        _ = Call(Mark);
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Call(nint number);
}
