using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Files;
using MASQuant.Platform;

namespace MASQuant.Delivery.Stores;

/// <summary>The project's own view of its models, by key, in a folder that every configuration and target framework of the project shares. A key's artifact appears last and at once, so whoever sees it sees all.</summary>
public sealed class ArtifactStore(string folder)
{
    // Enough of a key within one project, and a shorter path.
    private const int FolderLetters = 32;
    private const int MarkLetters = 16;

    /// <summary>The folder.</summary>
    public string Folder { get; } = folder;

    /// <summary>Where <see cref="Keys.FileHashes"/> are remembered.</summary>
    public string HashMemo => Path.Combine(Folder, "hashes.tsv");

    /// <summary>Which keys the project's builds use.</summary>
    public StoreUses Uses => new(Path.Combine(Folder, "uses"));

    /// <summary>Where a key's files are.</summary>
    public string FolderOf(string key) => Path.Combine(Folder, key[..FolderLetters]);

    public string Artifact(string key, string name) => Path.Combine(FolderOf(key), name + ModelFiles.ArtifactSuffix);

    /// <summary>The manifest, or before quantization the plan.</summary>
    public string Manifest(string key, string name) => Path.Combine(FolderOf(key), name + ModelFiles.ManifestSuffix);

    /// <summary>The file that tells by being there that the artifact keeps its budgets. Everything that could change the answer is in its name: the key, the budgets, and what the loss is measured on.</summary>
    public string BudgetMark(string key, string name, string budgets, string lossKey)
        => Path.Combine(FolderOf(key), $"{name}.{ContentHash.OfText($"{budgets}\n{lossKey}")[..MarkLetters]}.budgets");

    /// <summary>The file that is there while the model is due at the remote cache: then the build goes to it although the artifact is there.</summary>
    public string UploadMark(string key, string name) => Path.Combine(FolderOf(key), name + ".upload");

    public bool Contains(string key, string name) => File.Exists(Artifact(key, name)) && File.Exists(Manifest(key, name));

    /// <summary>Removes the files of keys that no build of the project uses. (The shared cache has them.)</summary>
    public void Prune()
    {
        using var alone = Uses.Lock();
        var used = Uses.All().Select(key => Path.GetFileName(FolderOf(key))).ToHashSet();
        foreach (var other in FileSystem.Current.Folders(Folder).Where(other => other.Name.Length == FolderLetters && other.Name.All(char.IsAsciiHexDigitLower) && !used.Contains(other.Name)))
        {
            try
            {
                FileSystem.Current.DeleteFolder(other.FullName, recursive: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Somebody has it open; the next build removes it.
            }
        }
    }
}
