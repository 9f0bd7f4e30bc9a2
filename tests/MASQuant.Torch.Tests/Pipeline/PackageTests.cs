using MASQuant.Formats.Artifacts;
using MASQuant.Tests;

namespace MASQuant.Torch.Tests.Pipeline;

/// <summary>A project that has the packages and not this repository.</summary>
public sealed class PackageTests : IDisposable
{
    private static readonly Lazy<TemporaryDirectory> Feed = new(() =>
    {
        var folder = new TemporaryDirectory();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Dispose();
        TestTool.Pack(folder.Path, "Abstractions", "Formats", "Engine", "Runtime", "Build", "Torch");
        return folder;
    });

    private readonly TemporaryDirectory _folder = new();

    public PackageTests()
    {
        TestTool.Link(_folder.File("packages"), [.. TestTool.TorchSharpPackages, TestTool.LibtorchPackage]);
        File.WriteAllText(_folder.File("NuGet.config"), $"""
            <configuration>
              <packageSources>
                <clear />
                <add key="packed" value="{Feed.Value.Path}" />
              </packageSources>
            </configuration>
            """);
        File.Copy(RepositoryFiles.Data("media/calib-ocr-000.png"), _folder.File("picture.png"));
        File.WriteAllText(_folder.File("calibration.jsonl"), """
            {"messages": [{"role": "user", "content": [{"type": "image", "image": "picture.png"}, {"type": "text", "text": "Read the digits."}]}, {"role": "assistant", "content": "1 2"}]}
            """);
        File.WriteAllText(_folder.File("Program.cs"), "System.Console.WriteLine();");
    }

    [TorchFact]
    public void Two_references_and_one_word_quantize_on_libtorch()
    {
        var build = Build("MASQuant.Build.Torch", TestTool.LibtorchPackage);
        Assert.True(build.ExitCode == 0, build.Output);
        var output = _folder.File("bin/Debug/net10.0");
        var manifest = ManifestFile.Read(Path.Combine(output, "models/VlTiny.masquant.json"));
        Assert.Equal("Torch:cpu", manifest.Options["Compute"]);

        // Nothing of it reaches the application.
        Assert.DoesNotContain(Directory.EnumerateFiles(output, "*", SearchOption.AllDirectories), file => file.Contains("torch", StringComparison.OrdinalIgnoreCase));

        // Nothing to do, and nothing is done.
        var again = Build("MASQuant.Build.Torch", TestTool.LibtorchPackage);
        Assert.DoesNotContain("quantizing", again.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_package_the_project_is_told_its_name()
    {
        var build = Build();
        Assert.NotEqual(0, build.ExitCode);
        Assert.Contains("Reader.csproj : error MASQ0516: Compute=Torch:cpu needs the package MASQuant.Build.Torch", build.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_libtorch_the_project_is_told_its_package()
    {
        Directory.Delete(_folder.File("packages/" + TestTool.LibtorchPackage)); // the link
        var build = Build("MASQuant.Build.Torch");
        Assert.NotEqual(0, build.ExitCode);
        Assert.Contains("error MASQ0517: Compute=Torch:cpu needs libtorch", build.Output, StringComparison.Ordinal);
        Assert.Contains($"<PackageReference Include=\"{TestTool.LibtorchPackage}\" Version=\"2.10.0\" ExcludeAssets=\"all\" />", build.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_folder.Path, "*.masquant.safetensors", SearchOption.AllDirectories));
    }

    public void Dispose() => _folder.Dispose();

    private (int ExitCode, string Output, string Error) Build(params IEnumerable<string> packages)
    {
        File.WriteAllText(_folder.File("Reader.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <OutputType>Exe</OutputType>
                <NuGetAudit>false</NuGetAudit>
                <DefaultItemExcludes>$(DefaultItemExcludes);packages/**</DefaultItemExcludes>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="MASQuant.Runtime" Version="0.1.0" />
                <PackageReference Include="MASQuant.Build" Version="0.1.0" PrivateAssets="all" />
                {string.Concat(packages.Select(id => id.StartsWith("MASQuant", StringComparison.Ordinal)
                    ? $"<PackageReference Include=\"{id}\" Version=\"0.1.0\" PrivateAssets=\"all\" />"
                    : $"<PackageReference Include=\"{id}\" Version=\"2.10.0\" ExcludeAssets=\"all\" />"))}
                <QuantizedModel Include="{RepositoryFiles.VlTiny}" Calibration="calibration.jsonl" Compute="Torch:cpu" />
              </ItemGroup>
            </Project>
            """);
        return TestTool.Dotnet(_folder.Path, ["build", "-nodeReuse:false", "-p:UseSharedCompilation=false"], ("NUGET_PACKAGES", _folder.File("packages")), ("MASQuantCache", "false"), ("MSBUILDDISABLENODEREUSE", "1"));
    }
}
