using MASQuant.Tests;
using MASQuant.Torch.Tests.Pipeline;

namespace MASQuant.Torch.Tests.Tensors;

/// <summary>An application that has the package and not this repository.</summary>
public sealed class TensorPackageTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public TensorPackageTests()
    {
        TestTool.Pack(_folder.File("feed"), "Abstractions", "Formats", "Engine", "Runtime", "TorchSharp");
        TestTool.Link(_folder.File("packages"), [.. TestTool.TorchSharpPackages, TestTool.LibtorchPackage]);
        File.WriteAllText(_folder.File("NuGet.config"), """
            <configuration>
              <packageSources>
                <clear />
                <add key="packed" value="feed" />
              </packageSources>
            </configuration>
            """);
        File.WriteAllText(_folder.File("Program.cs"), """
            using MASQuant;
            using MASQuant.Runtime;
            using MASQuant.TorchSharp;
            using TorchSharp;

            try
            {
                using var tensor = new Matrix(1, 2, [1, 2]).ToTensor();
                Console.WriteLine(string.Join(' ', tensor.data<float>().ToArray()));
            }
            catch (MASQuantException error)
            {
                Console.WriteLine(error.Message);
            }
            """);
    }

    public void Dispose() => _folder.Dispose();

    [TorchFact]
    public void With_a_package_of_libtorch_there_are_tensors() => Assert.Equal("1 2", Run($"<PackageReference Include=\"{TestTool.LibtorchPackage}\" Version=\"2.10.0\" />"));

    /// <summary>Not a type that cannot be initialized, and nothing before it but what TorchSharp itself prints.</summary>
    [Fact]
    public void Without_one_it_is_named()
    {
        Directory.Delete(_folder.File("packages/" + TestTool.LibtorchPackage)); // the link: TorchSharp looks there too
        Assert.EndsWith($"MASQ0517: MASQuant.TorchSharp needs libtorch, but it is not there. Add <PackageReference Include=\"{TestTool.LibtorchPackage}\" Version=\"2.10.0\" /> to the project, or TorchSharp's package for a GPU.", Run(""), StringComparison.Ordinal);
    }

    private string Run(string reference)
    {
        File.WriteAllText(_folder.File("Reader.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <OutputType>Exe</OutputType>
                <ImplicitUsings>enable</ImplicitUsings>
                <NuGetAudit>false</NuGetAudit>
                <DefaultItemExcludes>$(DefaultItemExcludes);packages/**</DefaultItemExcludes>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="MASQuant.TorchSharp" Version="0.1.0" />
                {reference}
              </ItemGroup>
            </Project>
            """);
        (string, string)[] environment = [("NUGET_PACKAGES", _folder.File("packages")), ("MSBUILDDISABLENODEREUSE", "1")];
        var build = TestTool.Dotnet(_folder.Path, ["build", "-nodeReuse:false", "-p:UseSharedCompilation=false"], environment);
        Assert.True(build.ExitCode == 0, build.Output);
        var run = TestTool.Dotnet(_folder.Path, ["bin/Debug/net10.0/Reader.dll"], environment);
        Assert.True(run.ExitCode == 0, run.Error);
        return run.Output.Trim();
    }
}
