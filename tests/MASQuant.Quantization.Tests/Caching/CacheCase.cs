using System.Security.Cryptography;
using System.Text;
using MASQuant.Delivery.Caching;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Caching;

/// <summary>A cache in a folder that goes with the test, and entries to put into it.</summary>
internal sealed class CacheCase : IDisposable
{
    public static readonly string[] Names = ["Tiny.masquant.json", "Tiny.masquant.safetensors"];
    public static readonly EntryNames Entry = EntryNames.Of("Tiny");
    private readonly TemporaryDirectory _directory = new();

    public CacheCase()
    {
        Folder = new CacheFolder(_directory.File("cache"));
        Cache = new ArtifactCache(Folder);
    }

    public CacheFolder Folder { get; }

    public ArtifactCache Cache { get; }

    public string Target => _directory.File("target");

    public static string Key(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Puts an entry into the cache.</summary>
    public ActionResult Add(string key, string manifest = "manifest", string artifact = "artifact")
    {
        var result = Write(key, manifest, artifact);
        Cache.Add(result, Folder.Run(key).Output, default);
        Folder.Run(key).Delete();
        return result;
    }

    /// <summary>Writes what quantizing would give.</summary>
    public ActionResult Write(string key, string manifest = "manifest", string artifact = "artifact")
    {
        var output = Directory.CreateDirectory(Folder.Run(key).Output).FullName;
        File.WriteAllText(Path.Combine(output, Names[0]), manifest);
        File.WriteAllText(Path.Combine(output, Names[1]), artifact);
        return new ActionResult(key, [.. Names.Select(name => CachedFile.Of(Path.Combine(output, name), default))]);
    }

    public bool Restore(string key, Action? damaged = null) => Cache.TryRestore(key, Entry, Target, (_, _) => true, damaged ?? (() => Assert.Fail("damaged")), default);

    public string Restored(int file) => File.ReadAllText(Path.Combine(Target, Names[file]));

    /// <summary>Every file of the cache but locks and counters.</summary>
    public string[] Files() => [.. Directory.EnumerateFiles(Folder.Path, "*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Folder.Path, file).Replace('\\', '/'))
        .Where(file => !file.StartsWith("locks/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    public void Dispose() => _directory.Dispose();
}
