using MASQuant.Tests;

namespace MASQuant.Build.Tests.Packages;

/// <summary>Whoever packs the same sources gets the same bytes.</summary>
[Trait("Lane", "build")]
public class DeterminismTests
{
    [Fact]
    public void Two_copies_of_the_sources_give_the_same_package()
    {
        using var first = new TemporaryDirectory();
        using var second = new TemporaryDirectory();
        Assert.Equal(Convert.ToHexString(Pack(first, "a")), Convert.ToHexString(Pack(second, "another/place")));
    }

    private static byte[] Pack(TemporaryDirectory folder, string place)
    {
        var root = folder.File(place);
        foreach (var file in new[] { "Directory.Build.props", "Directory.Packages.props", "MASQuant.targets", "build/icon.png", "LICENSE", "global.json" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(root, file))!);
            File.Copy(Path.Combine(RepositoryFiles.Root, file), Path.Combine(root, file));
        }

        foreach (var project in new[] { "Abstractions", "Build", "Delivery", "Engine", "Evaluation", "Formats", "Generators", "Quantization", "Tasks" })
        {
            Folders.Copy(Path.Combine(RepositoryFiles.Root, "src", project), Path.Combine(root, "src", project), except: ["bin", "obj"]);
        }

        foreach (var file in new[] { "Directory.Build.props", "BannedSymbols.txt" })
        {
            File.Copy(Path.Combine(RepositoryFiles.Root, "src", file), Path.Combine(root, "src", file));
        }

        var (exitCode, output) = Command.Run(root, "dotnet", ["pack", "src/Build", "-v:quiet", "-nodeReuse:false", "-p:RunAnalyzers=false", "-o", folder.Path]);
        Assert.True(exitCode == 0, output);
        return File.ReadAllBytes(folder.File($"MASQuant.Build.{PackedPackages.Version}.nupkg"));
    }
}
