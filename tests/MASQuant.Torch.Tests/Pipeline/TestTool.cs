using System.Diagnostics;
using System.Reflection;
using MASQuant.Tests;

namespace MASQuant.Torch.Tests.Pipeline;

/// <summary>The masquant command, and the package's assembly as it lies among restored packages.</summary>
internal static class TestTool
{
    private static readonly Dictionary<string, string?> Facts = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().ToDictionary(fact => fact.Key, fact => fact.Value);

    /// <summary>Runs a command.</summary>
    public static (int ExitCode, string Error) Run(string folder, IEnumerable<string> arguments, params IEnumerable<(string Name, string Value)> environment)
    {
        var tool = Path.Combine(RepositoryFiles.Root, "src/Cli/bin", Facts["Configuration"]!, "net10.0/MASQuant.Cli.dll");
        var (exitCode, _, error) = Dotnet(folder, [tool, .. arguments], environment);
        return (exitCode, error);
    }

    /// <summary>Packs projects of this repository, as they were built for these tests.</summary>
    public static void Pack(string output, params IEnumerable<string> projects)
    {
        foreach (var project in projects)
        {
            var pack = Dotnet(RepositoryFiles.Root, ["pack", "src/" + project, "--no-build", "-c", Facts["Configuration"]!, "-v:quiet", "-nodeReuse:false", "-o", output]);
            Assert.True(pack.ExitCode == 0, pack.Output);
        }
    }

    /// <summary>Runs <c>dotnet</c>.</summary>
    public static (int ExitCode, string Output, string Error) Dotnet(string folder, IEnumerable<string> arguments, params IEnumerable<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.GetAwaiter().GetResult(), error);
    }

    /// <summary>The package of libtorch for this machine.</summary>
    public static string LibtorchPackage => Facts["LibtorchPackage"]!;

    /// <summary>TorchSharp's package and those that it stands on.</summary>
    public static IReadOnlyList<string> TorchSharpPackages { get; } = ["torchsharp", "google.protobuf", "sharpziplib", "skiasharp", "skiasharp.nativeassets.macos", "skiasharp.nativeassets.win32"];

    /// <summary>Links packages that were restored into another folder of packages, where NuGet finds them unpacked.</summary>
    public static void Link(string packages, params IEnumerable<string> ids)
    {
        Directory.CreateDirectory(packages);
        foreach (var id in ids)
        {
            Directory.CreateSymbolicLink(Path.Combine(packages, id), Path.Combine(Facts["Packages"]!, id));
        }
    }

    /// <summary>A folder of packages with links to those that were restored; with ours, whose assembly it gives.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="libtorch">Whether libtorch is among them.</param>
    public static string Package(TemporaryDirectory folder, bool libtorch = true)
    {
        var packages = folder.File("packages");
        var assembly = Path.Combine(packages, "masquant.build.torch/0.1.0/compute/net10.0/MASQuant.Torch.dll");
        if (!File.Exists(assembly))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(assembly)!);
            File.Copy(typeof(TorchProvider).Assembly.Location, assembly);
            Link(packages, libtorch ? ["torchsharp", LibtorchPackage] : ["torchsharp"]);
        }

        return assembly;
    }
}
