using MASQuant.Delivery.Caching;
using MASQuant.Delivery.Keys;
using MASQuant.Delivery.Stores;
using MASQuant.Formats.Files;
using MASQuant.Tasks;
using Microsoft.Build.Framework;

namespace MASQuant.Fuzz.Readers;

/// <summary>What caches say, and the files in which builds remember.</summary>
/// <param name="scratch">Holds them.</param>
internal sealed class StoreReaders(Scratch scratch)
{
    private static readonly string Key = new('a', 64);

    /// <summary>An action result, from a server or from the folder of a cache.</summary>
    public void ActionResult(byte[] message)
    {
        _ = Delivery.Caching.ActionResult.Parse(message, Key, EntryNames.Of("Model"));
        Directory.CreateDirectory(Path.Combine(scratch.Path, "ac"));
        scratch.File(Path.Combine("ac", Key), message);
        var inventory = CacheInventory.Of(new CacheFolder(scratch.Path));
        _ = inventory.Bytes;
        _ = inventory.Orphans.Count();
    }

    /// <summary>Counters of a cache, notes of keys, uses, remembered hashes, losses and Git LFS pointers.</summary>
    public void Notes(byte[] text)
    {
        scratch.File("counters", text);
        _ = CacheCounters.Read(new CacheFolder(scratch.Path)).Asked;
        scratch.Once("Model.masquant.safetensors", []);
        scratch.File("Model.key", text);
        new KeyNote(scratch.Path, "Model").Says(Key);
        scratch.File("a.keys", text);
        _ = new StoreUses(scratch.Path).All().Count();
        var file = scratch.File("hashes.tsv", text);
        new FileHashes(file).Of(file);
        LfsPointer.ReadSha256(new FileInfo(file));
        Directory.CreateDirectory(Path.Combine(scratch.Path, "losses"));
        scratch.File(Path.Combine("losses", "a.json"), text);
        _ = new EvaluationLosses(scratch.Path).TryRead("a");
    }

    /// <summary>The answer that a build remembers, to the question in its first line.</summary>
    public void Prepared(byte[] text)
    {
        var file = scratch.File("prepared.tsv", text);
        PreparedModels.TryRead(file, File.ReadLines(file).FirstOrDefault() ?? "", new List<ITaskItem>(), new List<ITaskItem>());
    }
}
