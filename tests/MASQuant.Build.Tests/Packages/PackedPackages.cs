using System.IO.Compression;
using MASQuant.Runtime;
using MASQuant.Tests;

namespace MASQuant.Build.Tests.Packages;

/// <summary>What <c>dotnet pack</c> at the repository's root makes, packed once for all tests from what was built for them.</summary>
internal static class PackedPackages
{
    private static readonly Lazy<TemporaryDirectory> Packed = new(() =>
    {
        var folder = new TemporaryDirectory();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Dispose();
        var (exitCode, text) = Command.Run(RepositoryFiles.Root, "dotnet", ["pack", "--no-build", "-c", BuildCase.Configuration, "-v:quiet", "-nodeReuse:false", "-o", folder.Path]);
        Assert.True(exitCode == 0, text);
        return folder;
    });

    public static string Folder => Packed.Value.Path;

    /// <summary>The version that every package has.</summary>
    public static string Version { get; } = typeof(MultimodalModel).Assembly.GetName().Version!.ToString(3);

    /// <summary>A package's files by name, without what the container's format adds.</summary>
    public static SortedDictionary<string, byte[]> Files(string package)
    {
        using var zip = ZipFile.OpenRead(package);
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var entry in zip.Entries.Where(entry => !entry.FullName.StartsWith("_rels/", StringComparison.Ordinal) && !entry.FullName.StartsWith("package/", StringComparison.Ordinal) && entry.FullName != "[Content_Types].xml"))
        {
            using var content = new MemoryStream();
            using var stream = entry.Open();
            stream.CopyTo(content);
            files[entry.FullName] = content.ToArray();
        }

        return files;
    }

    /// <summary>The path of a package, <c>MASQuant.Build</c> for instance.</summary>
    public static string Of(string id, string extension = "nupkg") => Path.Combine(Folder, $"{id}.{Version}.{extension}");
}
