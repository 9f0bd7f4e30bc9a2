using System.Runtime.Intrinsics.X86;
using MASQuant.Gemm;

namespace MASQuant.Tests.Pipeline;

/// <summary>The test assembly as a program: <c>dotnet MASQuant.Quantization.Tests.dll W4A8</c> prints which instruction sets the environment left on and the hash of a quantization. Test runners never call it.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        QuantizationScheme.TryParse(arguments[0], out var scheme);
        Console.WriteLine($"AVX512={Avx512F.IsSupported} AVX2={Avx2.IsSupported}");
        Console.WriteLine(TinyRun.Hash(TinyRun.Options with { Scheme = scheme }));
        return 0;
    }
}
