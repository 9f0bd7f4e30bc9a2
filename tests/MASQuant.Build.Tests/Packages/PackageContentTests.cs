using System.Buffers.Binary;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using MASQuant.Tests;

namespace MASQuant.Build.Tests.Packages;

/// <summary>What the packages hold, and that nothing else does.</summary>
[Trait("Lane", "build")]
public class PackageContentTests
{
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A"); // Portable PDB specification, "Source Link"

    [Fact]
    public void Packing_makes_these_packages_and_no_others()
        => Assert.Equal(
            [
                "MASQuant.Abstractions.nupkg", "MASQuant.Abstractions.snupkg", "MASQuant.AudioFormats.nupkg", "MASQuant.AudioFormats.snupkg", "MASQuant.Build.Torch.nupkg", "MASQuant.Build.Torch.snupkg", "MASQuant.Build.nupkg", "MASQuant.Build.snupkg", "MASQuant.Cuda.nupkg", "MASQuant.Cuda.snupkg",
                "MASQuant.Engine.nupkg", "MASQuant.Engine.snupkg", "MASQuant.Extensions.AI.nupkg", "MASQuant.Extensions.AI.snupkg", "MASQuant.Formats.nupkg", "MASQuant.Formats.snupkg", "MASQuant.Runtime.nupkg", "MASQuant.Runtime.snupkg", "MASQuant.Server.nupkg", "MASQuant.Server.snupkg", "MASQuant.Skia.nupkg", "MASQuant.Skia.snupkg",
                "MASQuant.Templates.nupkg", "MASQuant.Tool.nupkg", "MASQuant.Tool.snupkg", "MASQuant.TorchSharp.nupkg", "MASQuant.TorchSharp.snupkg",
            ],
            Directory.EnumerateFiles(PackedPackages.Folder).Select(file => Path.GetFileName(file).Replace("." + PackedPackages.Version, "")).Order());

    [Fact]
    public void The_build_package_holds_our_targets_and_assemblies_alone()
        => Assert.Equal(
            [
                "LICENSE", "MASQuant.Build.nuspec", "README.md",
                "analyzers/dotnet/cs/MASQuant.Generators.dll", "analyzers/dotnet/cs/MASQuant.Generators.pdb",
                "build/MASQuant.Build.targets", "build/MASQuant.QuantizeOne.proj", "build/PackedModels.targets", "build/QuantizedModel.xaml", "buildMultiTargeting/MASQuant.Build.targets",
                "icon.png",
                "tasks/net10.0/MASQuant.Abstractions.dll", "tasks/net10.0/MASQuant.Abstractions.pdb",
                "tasks/net10.0/MASQuant.Delivery.dll", "tasks/net10.0/MASQuant.Delivery.pdb",
                "tasks/net10.0/MASQuant.Engine.dll", "tasks/net10.0/MASQuant.Engine.pdb",
                "tasks/net10.0/MASQuant.Evaluation.dll", "tasks/net10.0/MASQuant.Evaluation.pdb",
                "tasks/net10.0/MASQuant.Formats.dll", "tasks/net10.0/MASQuant.Formats.pdb",
                "tasks/net10.0/MASQuant.Quantization.dll", "tasks/net10.0/MASQuant.Quantization.pdb",
                "tasks/net10.0/MASQuant.Tasks.dll", "tasks/net10.0/MASQuant.Tasks.pdb",
            ],
            PackedPackages.Files(PackedPackages.Of("MASQuant.Build")).Keys);

    [Fact]
    public void The_package_for_libtorch_holds_one_assembly_of_ours_and_nothing_of_libtorch()
        => Assert.Equal(
            [
                "LICENSE", "MASQuant.Build.Torch.nuspec", "README.md", "build/MASQuant.Build.Torch.props", "buildMultiTargeting/MASQuant.Build.Torch.props",
                "compute/net10.0/MASQuant.Torch.dll", "compute/net10.0/MASQuant.Torch.pdb", "icon.png",
            ],
            PackedPackages.Files(PackedPackages.Of("MASQuant.Build.Torch")).Keys);

    /// <summary>Restored with it, and no part of the project that refers to it.</summary>
    [Fact]
    public void The_package_for_libtorch_hands_on_nothing_of_TorchSharp()
    {
        var metadata = XDocument.Load(new MemoryStream(PackedPackages.Files(PackedPackages.Of("MASQuant.Build.Torch"))["MASQuant.Build.Torch.nuspec"])).Root!;
        var dependency = Assert.Single(metadata.Descendants(), element => element.Name.LocalName == "dependency");
        Assert.Equal(("TorchSharp", "ContentFiles"), (dependency.Attribute("id")!.Value, dependency.Attribute("include")!.Value)); // of which it has none
        Assert.Equal("true", metadata.Descendants().Single(element => element.Name.LocalName == "developmentDependency").Value);
    }

    /// <summary>Code for one processor or one C library would build on that machine alone: musl and arm64 need managed code.</summary>
    [Theory]
    [InlineData("MASQuant.Abstractions")]
    [InlineData("MASQuant.AudioFormats")]
    [InlineData("MASQuant.Build")]
    [InlineData("MASQuant.Build.Torch")]
    [InlineData("MASQuant.Cuda")]
    [InlineData("MASQuant.Engine")]
    [InlineData("MASQuant.Extensions.AI")]
    [InlineData("MASQuant.Formats")]
    [InlineData("MASQuant.Runtime")]
    [InlineData("MASQuant.Server")]
    [InlineData("MASQuant.Skia")]
    [InlineData("MASQuant.Tool")]
    [InlineData("MASQuant.TorchSharp")]
    [InlineData("MASQuant.Templates")]
    public void Packages_hold_managed_code_for_any_machine(string id)
    {
        foreach (var (name, content) in PackedPackages.Files(PackedPackages.Of(id)))
        {
            Assert.False(IsNative(content), $"{name} is a native library.");
            if (content is [(byte)'M', (byte)'Z', ..])
            {
                using var image = new PEReader([.. content]);
                Assert.True(image.PEHeaders.CorHeader?.Flags.HasFlag(CorFlags.ILOnly), $"{name} has native code.");
                Assert.Equal(Machine.I386, image.PEHeaders.CoffHeader.Machine); // what AnyCPU is written as
                Assert.Equal(0, image.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size); // not precompiled
            }
        }
    }

    [Theory]
    [InlineData("MASQuant.Build", true)]
    [InlineData("MASQuant.Build.Torch", true, "TorchSharp")]
    [InlineData("MASQuant.Abstractions", false)]
    [InlineData("MASQuant.Formats", false, "MASQuant.Abstractions")]
    [InlineData("MASQuant.Engine", false, "MASQuant.Formats")]
    [InlineData("MASQuant.Runtime", false, "MASQuant.Abstractions", "MASQuant.Engine", "MASQuant.Formats")]
    [InlineData("MASQuant.Cuda", false, "MASQuant.Engine")]
    [InlineData("MASQuant.Extensions.AI", false, "MASQuant.Runtime", "Microsoft.Extensions.AI.Abstractions", "Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Extensions.Diagnostics.HealthChecks.Abstractions", "Microsoft.Extensions.Logging.Abstractions", "Microsoft.Extensions.Options")]
    [InlineData("MASQuant.Server", false, "MASQuant.Extensions.AI")]
    [InlineData("MASQuant.AudioFormats", false, "MASQuant.Abstractions", "NLayer")]
    [InlineData("MASQuant.Skia", false, "MASQuant.Abstractions", "SkiaSharp", "SkiaSharp.NativeAssets.Linux.NoDependencies")]
    [InlineData("MASQuant.Tool", false)]
    [InlineData("MASQuant.TorchSharp", false, "MASQuant.Runtime", "TorchSharp")]
    [InlineData("MASQuant.Templates", false)]
    public void Packages_say_what_they_are(string id, bool developmentDependency, params string[] dependencies)
    {
        var files = PackedPackages.Files(PackedPackages.Of(id));
        var metadata = XDocument.Load(new MemoryStream(files[id + ".nuspec"])).Root!.Elements().Single();
        string? Value(string name) => metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value;

        Assert.Equal((id, PackedPackages.Version, "Apache-2.0", "README.md", "icon.png"), (Value("id"), Value("version"), Value("license"), Value("readme"), Value("icon")));
        Assert.Equal(developmentDependency ? "true" : null, Value("developmentDependency"));
        Assert.Equal(dependencies.Select(name => (name, VersionOf(name))),
            metadata.Descendants().Where(element => element.Name.LocalName == "dependency").Select(element => (element.Attribute("id")!.Value, element.Attribute("version")!.Value)).Order());
        Assert.Equal(File.ReadAllBytes(Path.Combine(RepositoryFiles.Root, "LICENSE")), files["LICENSE"]);
        var readme = Encoding.UTF8.GetString(files["README.md"]);
        Assert.StartsWith($"# {id}\n", readme, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"\]\((?!https://)", readme); // a package's page lies in no repository
        Assert.InRange(files["icon.png"].Length, 1, 10_000);
        Assert.Equal((128, 128), (BinaryPrimitives.ReadInt32BigEndian(files["icon.png"].AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(files["icon.png"].AsSpan(20)))); // what nuget.org shows; PNG, IHDR
    }

    /// <summary>The remote's address is the project's page; the sources name none.</summary>
    [Fact]
    public void A_package_links_to_the_remote()
    {
        using var folder = SmallRepository();
        Succeed(Command.Run(folder.Path, "dotnet", ["pack", "src/Small.csproj", "-c", "Release", "-v:quiet", "-nodeReuse:false", "-p:IsPackable=true", "-o", folder.File("packed")]));
        var files = PackedPackages.Files(folder.File("packed/MASQuant.Small.0.1.0.nupkg"));
        var metadata = XDocument.Load(new MemoryStream(files["MASQuant.Small.nuspec"])).Root!.Elements().Single().Elements().ToLookup(element => element.Name.LocalName, element => element.Value);
        Assert.Equal(["https://github.com/masquant/masquant"], metadata["projectUrl"]);
        Assert.Equal(["https://github.com/masquant/masquant/blob/HEAD/CHANGELOG.md"], metadata["releaseNotes"]);
        Assert.Equal("See [a page; there](https://github.com/masquant/masquant/blob/HEAD/docs/page.md#part).\n", Encoding.UTF8.GetString(files["README.md"]));
    }

    [Fact]
    public void The_runtime_comes_with_documentation_symbols_and_sources()
    {
        var files = PackedPackages.Files(PackedPackages.Of("MASQuant.Runtime"));
        Assert.Contains("\"T:MASQuant.Runtime.MultimodalModel\"", Encoding.UTF8.GetString(files["lib/net10.0/MASQuant.Runtime.xml"]));

        using var image = new PEReader([.. files["lib/net10.0/MASQuant.Runtime.dll"]]);
        Assert.Contains(image.ReadDebugDirectory(), entry => entry.Type == DebugDirectoryEntryType.Reproducible);
        var identity = image.ReadCodeViewDebugDirectoryData(image.ReadDebugDirectory().Single(entry => entry.Type == DebugDirectoryEntryType.CodeView));
        using var symbols = MetadataReaderProvider.FromPortablePdbImage([.. PackedPackages.Files(PackedPackages.Of("MASQuant.Runtime", "snupkg"))["lib/net10.0/MASQuant.Runtime.pdb"]]);
        var reader = symbols.GetMetadataReader();
        Assert.Equal(identity.Guid, new BlobContentId(reader.DebugMetadataHeader!.Id).Guid);

        // No path of the machine that packed, and what git does not have is inside.
        var documents = reader.Documents.Select(reader.GetDocument).Select(document => reader.GetString(document.Name)).ToArray();
        Assert.NotEmpty(documents);
        Assert.All(documents, document => Assert.StartsWith("/_/", document));
    }

    /// <summary>Source link names the remote's address where there is one.</summary>
    [Fact]
    public void Symbols_link_to_the_sources_of_the_remote()
    {
        using var folder = SmallRepository();
        Succeed(Command.Run(folder.Path, "dotnet", ["build", "src/Small.csproj", "-c", "Release", "-v:quiet", "-nodeReuse:false"]));
        using var symbols = MetadataReaderProvider.FromPortablePdbStream(File.OpenRead(folder.File("src/bin/Release/net10.0/MASQuant.Small.pdb")));
        var reader = symbols.GetMetadataReader();
        var link = reader.CustomDebugInformation.Select(reader.GetCustomDebugInformation).Single(information => reader.GetGuid(information.Kind) == SourceLink);
        using var json = JsonDocument.Parse(reader.GetBlobBytes(link.Value));
        Assert.StartsWith("https://raw.githubusercontent.com/masquant/masquant/", json.RootElement.GetProperty("documents").GetProperty("/_/*").GetString());
    }

    // A clone of somebody's, with one project.
    private static TemporaryDirectory SmallRepository()
    {
        var folder = new TemporaryDirectory();
        foreach (var file in new[] { "Directory.Build.props", "Directory.Packages.props", "LICENSE", "build/icon.png", "src/Directory.Build.props", "src/BannedSymbols.txt" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder.File(file))!);
            File.Copy(Path.Combine(RepositoryFiles.Root, file), folder.File(file));
        }

        File.WriteAllText(folder.File("src/Small.csproj"), "<Project Sdk=\"Microsoft.NET.Sdk\" />");
        File.WriteAllText(folder.File("src/Small.cs"), "namespace Small;\n\ninternal static class Nothing\n{\n    public static int Value => 1;\n}\n");
        File.WriteAllText(folder.File("src/README.md"), "See [a page; there](../../docs/page.md#part).\n");
        foreach (var command in new[] { "init -q", "remote add origin https://github.com/masquant/masquant.git", "add .", "-c user.name=test -c user.email=test@localhost commit -q -m small" })
        {
            Succeed(Command.Run(folder.Path, "git", command.Split(' ')));
        }

        return folder;
    }

    // Of a package of others, what this repository restores.
    private static string VersionOf(string package)
        => package.StartsWith("MASQuant.", StringComparison.Ordinal)
            ? PackedPackages.Version
            : XDocument.Load(Path.Combine(RepositoryFiles.Root, "Directory.Packages.props")).Descendants("PackageVersion").Single(element => (string?)element.Attribute("Include") == package).Attribute("Version")!.Value;

    private static void Succeed((int ExitCode, string Output) result) => Assert.True(result.ExitCode == 0, result.Output);

    private static bool IsNative(byte[] content)
        => content is [0x7F, (byte)'E', (byte)'L', (byte)'F', ..] or [0xCF, 0xFA, 0xED, 0xFE, ..] or [0xCA, 0xFE, 0xBA, 0xBE, ..];
}
