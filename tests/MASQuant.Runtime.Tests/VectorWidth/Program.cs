using System.Runtime.Intrinsics.X86;

namespace MASQuant.Tests.VectorWidth;

/// <summary>The test assembly as a program: <c>dotnet MASQuant.Runtime.Tests.dll NAME</c> prints which instruction sets the environment left on and one hash. Test runners never call it.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        Console.WriteLine($"AVX512={Avx512F.IsSupported} AVX2={Avx2.IsSupported}");
        Console.WriteLine(ResultHashes.ByName[arguments[0]]());
        return 0;
    }
}
