using MASQuant.Formats.Files;
using MASQuant.Platform;

namespace MASQuant.Delivery.Stores;

/// <summary>A model's place in its project's store.</summary>
/// <param name="store">The store.</param>
/// <param name="key">The model's key.</param>
/// <param name="name">The model's name.</param>
public sealed class StoredModel(ArtifactStore store, string key, string name) : IDeliveryTarget
{
    /// <inheritdoc/>
    public string Folder => store.FolderOf(key);

    /// <inheritdoc/>
    public string Root => store.Folder;

    /// <inheritdoc/>
    public bool IsComplete => store.Contains(key, name);

    /// <inheritdoc/>
    public void MarkUpload(bool isDue)
    {
        var mark = store.UploadMark(key, name);
        FileBorder.Write(mark, () =>
        {
            if (isDue)
            {
                FileSystem.Current.Open(mark, FileMode.Create, FileAccess.Write, FileShare.None).Dispose();
            }
            else
            {
                FileSystem.Current.Delete(mark);
            }
        });
    }

    /// <inheritdoc/>
    public void Tidy() => store.Prune();
}
