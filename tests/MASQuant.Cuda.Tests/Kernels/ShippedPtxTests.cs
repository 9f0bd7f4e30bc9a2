using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Tests;

namespace MASQuant.Cuda.Tests.Kernels;

/// <summary>What is shipped is what the sources say, within the limits that docs/cuda.md names.</summary>
public sealed class ShippedPtxTests
{
    private static readonly string Sources = Path.Combine(RepositoryFiles.Root, "src", "Cuda", "Kernels");

    // The most registers a kernel may take, by the start of its name; the first that fits counts.
    private static readonly (string Prefix, int Registers)[] Budgets =
    [
        ("decode8", 128), ("decode16", 128), ("prefill_", 224), ("project", 224), ("prepare_", 64), ("arrange_", 32), ("wide_", 168), ("draw", 64), ("", 255),
    ];

    private static string[] Names => [.. Directory.GetFiles(Sources, "*.ptx").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Modules => [.. Names];

    [Theory]
    [MemberData(nameof(Modules))]
    public void Every_operation_rounds_as_it_says(string module)
    {
        var text = Embedded(module);
        Assert.Contains(module.Contains("sm90a", StringComparison.Ordinal) ? ".version 8.0\n.target sm_90a\n" : ".version 7.8\n.target sm_80\n", text, StringComparison.Ordinal);

        // Without .rn the driver's compiler may fuse a product and a sum; local memory is slow memory.
        Assert.DoesNotMatch(@"\b(add|sub|mul)\.f32", text);
        Assert.DoesNotMatch(@"\b(ld|st)\.local", text);
        Assert.Equal(text, File.ReadAllText(Path.Combine(Sources, module)));
    }

    [Fact]
    public void The_catalog_names_every_entry()
    {
        foreach (var group in PrepareKernels.All.Concat(GemmKernels.All).Concat(DecoderKernels.All).Concat(TokenKernels.All).Concat(TowerKernels.All).Concat(StateKernels.All).GroupBy(kernel => kernel.Module.Name))
        {
            var entries = Regex.Matches(Embedded(group.Key), @"\.entry (\w+)\(").Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal);
            Assert.Equal(entries, group.Select(kernel => kernel.Entry).Order(StringComparer.Ordinal));
        }
    }

    [SkippableFact]
    public void Sources_compile_to_what_is_shipped()
    {
        Skip.If(Run("clang-22", "--version") is null, "clang-22 is not installed");
        using var folder = new TemporaryDirectory();
        Assert.NotNull(Run("bash", Path.Combine(RepositoryFiles.Root, "build", "kernels.sh"), folder.Path));
        Assert.Equal(Names, Directory.GetFiles(folder.Path).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        foreach (var file in Directory.GetFiles(folder.Path))
        {
            Assert.True(File.ReadAllText(file) == Embedded(Path.GetFileName(file)), $"{Path.GetFileName(file)} is not what its source compiles to; run build/kernels.sh");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Modules))]
    public void No_kernel_spills_or_exceeds_its_registers(string module)
    {
        var assembler = Environment.GetEnvironmentVariable("MASQUANT_PTXAS") ?? "ptxas";
        Skip.If(Run(assembler, "--version") is null, "ptxas is not installed; MASQUANT_PTXAS may name it");
        Assert.All(ArchitecturesOf(module), architecture => CheckRegisters(Run(assembler, $"-arch={architecture}", "-v", Path.Combine(Sources, module), "-o", Path.GetTempFileName())));
    }

    /// <summary>The one that bounds what a module may use; where the module is for some alone, each kind of them.</summary>
    private static string[] ArchitecturesOf(string module)
        => module.Contains("sm90a", StringComparison.Ordinal) ? ["sm_90a"] : module.Contains(".s4.", StringComparison.Ordinal) ? ["sm_80", "sm_86", "sm_89"] : ["sm_80"];

    private static void CheckRegisters(string? report)
    {
        Assert.NotNull(report);

        // Advice comes with a number: products made to wait for each other, setmaxnreg passed over.
        Assert.DoesNotMatch(@"\(C\d+\)|[Ww]arning", report);
        var kernels = Regex.Matches(report, @"entry function '(\w+)'.*?(\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers", RegexOptions.Singleline);
        Assert.NotEmpty(kernels);
        foreach (Match kernel in kernels)
        {
            var name = kernel.Groups[1].Value;
            Assert.Equal(("0", "0"), (kernel.Groups[2].Value, kernel.Groups[3].Value));
            Assert.InRange(int.Parse(kernel.Groups[4].Value), 1, Budgets.First(budget => name.StartsWith(budget.Prefix, StringComparison.Ordinal)).Registers);
        }
    }

    private static string Embedded(string module) => Encoding.UTF8.GetString(new KernelModule(module, 80).ReadPtx());

    /// <summary>What a program writes; null when it cannot be started or fails.</summary>
    private static string? Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output + error.Result : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
