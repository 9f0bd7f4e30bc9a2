namespace MASQuant.Delivery.Stores;

/// <summary>A folder that a person named. Whatever is in it, the model is brought anew: nothing there says which key a file has.</summary>
/// <param name="folder">The folder.</param>
/// <param name="root">Holds locks and unfinished runs where no shared cache does.</param>
public sealed class OutputFolder(string folder, string root) : IDeliveryTarget
{
    /// <inheritdoc/>
    public string Folder => folder;

    /// <inheritdoc/>
    public string Root => root;

    /// <inheritdoc/>
    public bool IsComplete => false;

    /// <summary>Does nothing: an upload that was broken off is noted in the cache, which the next delivery looks at.</summary>
    public void MarkUpload(bool isDue)
    {
    }

    /// <summary>Does nothing: the folder is the person's.</summary>
    public void Tidy()
    {
    }
}
