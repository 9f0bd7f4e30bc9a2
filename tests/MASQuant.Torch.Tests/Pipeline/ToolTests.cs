using MASQuant.Tests;

namespace MASQuant.Torch.Tests.Pipeline;

/// <summary>What the masquant command says where something is missing. Needs no libtorch that can be loaded.</summary>
public sealed class ToolTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    [Fact]
    public void Without_libtorch_the_message_names_the_package_and_where_it_looked()
    {
        var run = Quantize("Torch:cpu", TestTool.Package(_folder, libtorch: false));
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("error MASQ0517: Compute=Torch:cpu needs libtorch, but there is no ", run.Error, StringComparison.Ordinal);
        Assert.Contains("<PackageReference Include=\"libtorch-cpu-", run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    [Fact]
    public void A_library_that_cannot_be_loaded_says_why()
    {
        var assembly = TestTool.Package(_folder, libtorch: false);
        var native = Path.Combine(Path.GetDirectoryName(assembly)!, OperatingSystem.IsWindows() ? "torch_cpu.dll" : OperatingSystem.IsMacOS() ? "libtorch_cpu.dylib" : "libtorch_cpu.so");
        File.WriteAllText(native, "no library");
        var run = Quantize("Torch:cpu", assembly);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"{native}: error MASQ0517: Compute=Torch:cpu needs libtorch, but the system cannot load it: ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_assembly_is_refused()
    {
        var run = Quantize("Torch:cpu", typeof(MASQuantException).Assembly.Location);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("error MASQ0517", run.Error, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private (int ExitCode, string Error) Quantize(string compute, string assembly)
        => TestTool.Run(_folder.Path, ["quantize", RepositoryFiles.VlTiny, "--calibration", RepositoryFiles.Data("calibration-vision.jsonl"), "--samples", "2", "--output", "out", "--cache", "none", "--compute", compute, "--compute-assembly", assembly]);
}
