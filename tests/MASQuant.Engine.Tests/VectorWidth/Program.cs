using System.Globalization;
using System.Runtime.Intrinsics.X86;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tests.Arm64;
using MASQuant.Engine.Tests.Guards;
using MASQuant.Engine.Tests.Lifetime;
using MASQuant.Engine.Tests.Soak;
using MASQuant.Formats.Files;
using MASQuant.Tests.Guards;

namespace MASQuant.Engine.Tests.VectorWidth;

/// <summary>The test assembly as a program: <c>dotnet MASQuant.Engine.Tests.dll NAME</c> prints which instruction sets the environment left on and one hash; <c>write PATH</c> begins to write a file, and ends when it is killed; <c>dispose ARTIFACT COUNT</c> disposes a model at random moments, <c>host ARTIFACT COUNT</c> with the web application that it is a service of; <c>tests NAME…</c> runs the tests of classes and folders here; <c>answers MODEL</c> prints what a model answers; <c>counted</c> runs the products whose instructions are counted; <c>guard KERNEL</c> runs a kernel on guarded memory; <c>soak [--minutes M] [--rounds N]</c> uses a model for an hour, or so long. Test runners never call it.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments is ["write", var path])
        {
            AtomicFile.Write(path, stream =>
            {
                stream.Write(new byte[1 << 20]);
                Console.WriteLine("writing");
                Thread.Sleep(Timeout.Infinite);
            });
        }

        if (arguments is ["dispose", var artifact, var count])
        {
            DisposalRun.Run(artifact, int.Parse(count, CultureInfo.InvariantCulture));
            return 0;
        }

        if (arguments is ["host", var served, var hosts])
        {
            HostRun.Run(served, int.Parse(hosts, CultureInfo.InvariantCulture));
            return 0;
        }

        if (arguments is ["soak", ..])
        {
            return SoakRun.Run(arguments[1..]);
        }

        if (arguments is ["tests", ..])
        {
            return TestRun.Run(arguments[1..]);
        }

        if (arguments is ["answers", var model])
        {
            AnswerRun.Run(model);
            return 0;
        }

        if (arguments is ["counted"])
        {
            CountedRun.Run();
            return 0;
        }

        if (arguments is ["guard", var kernel])
        {
            GuardedRun.Run(kernel, GuardTests.Kernels[kernel]);
            return 0;
        }

        Console.WriteLine($"AVX512={Avx512F.IsSupported} AVX2={Avx2.IsSupported} {CpuTarget.ThisMachine.Level}");
        Console.WriteLine(ResultHashes.ByName[arguments[0]]());
        return 0;
    }
}
