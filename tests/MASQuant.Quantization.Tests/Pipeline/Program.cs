using System.Globalization;
using System.Runtime.Intrinsics.X86;
using MASQuant.Engine.Tensors;
using MASQuant.Quantization.Tests.Guards;
using MASQuant.Quantization.Tests.Planning;
using MASQuant.Tests.Guards;

namespace MASQuant.Quantization.Tests.Pipeline;

/// <summary>The test assembly as a program: <c>dotnet MASQuant.Quantization.Tests.dll hash Scheme=W4A8 …</c> prints which instruction sets and threads the environment left and the hash of a quantization,
/// <c>held-memory WIDTH ALTERNATIONS</c> what a quantization had in use and what was planned; <c>guard KERNEL</c> runs a kernel on guarded memory. Test runners never call it.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments is ["held-memory", var width, var alternations])
        {
            var options = TinyRun.Options with { Epochs = 0, Alternations = int.Parse(alternations, CultureInfo.InvariantCulture) };
            Console.WriteLine(HeldMemory.Measure(int.Parse(width, CultureInfo.InvariantCulture), options));
            return 0;
        }

        if (arguments is ["guard", var kernel])
        {
            GuardedRun.Run(kernel, GuardTests.Kernels[kernel]);
            return 0;
        }

        Console.WriteLine($"AVX512={Avx512F.IsSupported} AVX2={Avx2.IsSupported} Threads={Workers.Count}");
        Console.WriteLine(TinyRun.Hash(TinyRun.Read(arguments.Skip(1))));
        return 0;
    }
}
