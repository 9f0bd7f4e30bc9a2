using System.Diagnostics;
using Iced.Intel;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Gemm.Code;

/// <summary>The machine code that is shipped: what its sources compile to, whole in itself, and by the rules of the system that calls it.</summary>
public sealed class ShippedCodeTests
{
    private static readonly string Sources = Path.Combine(RepositoryFiles.Root, "src", "Engine", "Gemm", "Cpu", "Kernels");

    private static string[] Names => [.. Directory.GetFiles(Sources, "*.bin").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Kernels => [.. Names];

    [SkippableFact]
    public void Sources_compile_to_what_is_shipped()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "build/cpu-kernels.sh is a script for Linux");
        Skip.If(!Runs("clang-22", "--version") || !Runs("objcopy", "--version"), "clang-22 and binutils are not installed");
        using var folder = new TemporaryDirectory();
        Assert.True(Runs("bash", Path.Combine(RepositoryFiles.Root, "build", "cpu-kernels.sh"), folder.Path));
        Assert.Equal(Names, Directory.GetFiles(folder.Path).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        foreach (var file in Directory.GetFiles(folder.Path))
        {
            Assert.True(File.ReadAllBytes(file).AsSpan().SequenceEqual(Embedded(Path.GetFileName(file))), $"{Path.GetFileName(file)} is not what its source compiles to; run build/cpu-kernels.sh");
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Code_is_whole_in_itself(string name)
    {
        var code = Embedded(name);
        Assert.Equal(File.ReadAllBytes(Path.Combine(Sources, name)), code);
        var instructions = new List<Instruction>();
        for (var decoder = Decoder.Create(64, code); decoder.IP < (ulong)code.Length;)
        {
            instructions.Add(decoder.Decode());
        }

        var starts = instructions.Select(instruction => instruction.IP).ToHashSet();
        Assert.All(instructions, instruction =>
        {
            Assert.False(instruction.IsInvalid);
            Assert.False(instruction.IsIPRelativeMemoryOperand, $"{instruction} refers to data");
            Assert.True(instruction.FlowControl is FlowControl.Next or FlowControl.Return or FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch, $"{instruction} leaves the code");
            Assert.True(instruction.FlowControl is FlowControl.Next or FlowControl.Return || starts.Contains(instruction.NearBranchTarget), $"{instruction} jumps elsewhere");
        });
        Assert.Equal(FlowControl.Return, instructions.Last(instruction => instruction.Mnemonic != Mnemonic.Nop).FlowControl);
    }

    [SkippableFact]
    public void Code_for_Windows_gives_the_same_and_keeps_what_its_callers_keep()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && CpuTarget.Levels.Contains(CpuLevel.Vnni512), "Needs Linux and a processor with AVX512-VNNI.");
        var windows = new CpuGemmBackend(new CpuTarget(CpuLevel.Vnni512, false, 1) { Code = WindowsCaller.Kernels() });
        foreach (var scheme in QuantizationScheme.All.Where(scheme => scheme.QuantizesActivations))
        {
            for (var tokens = 1; tokens <= 15; tokens++)
            {
                var problem = new QuantizedProblem(tokens, 16 * 7, 72, scheme);
                Bits.AssertSame(problem.Run(new ScalarGemmBackend()), problem.Run(windows));
                Assert.Equal(-1, WindowsCaller.FirstChange);
            }
        }
    }

    [SkippableFact]
    public void Mapped_code_is_executable_and_not_writable()
    {
        Skip.IfNot(CodeMemory.IsKnown && OperatingSystem.IsLinux(), "Reads /proc/self/maps, and code is for x64.");
        var address = CodeMemory.Map([0xC3], out var refusal);
        Assert.Equal("", refusal);
        var mapping = File.ReadLines("/proc/self/maps").Single(line => line.StartsWith($"{address:x}-", StringComparison.Ordinal));
        Assert.Contains(" r-xp ", mapping, StringComparison.Ordinal);
    }

    private static byte[] Embedded(string file) => MachineCode.Read(file.Split('.')[0], windows: file.Contains(".win.", StringComparison.Ordinal));

    private static bool Runs(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEndAsync();
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
