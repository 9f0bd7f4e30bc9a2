namespace MASQuant.Delivery.Locks;

/// <summary>Replaces small files that several processes keep. Their temporary file has one name, so what a killed writer left is the next one's to use.</summary>
public static class LockedFile
{
    private const string TemporarySuffix = ".tmp";

    /// <summary>Replaces a file; the caller holds the lock that its writers share.</summary>
    public static void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path + TemporarySuffix, text);
        File.Move(path + TemporarySuffix, path, overwrite: true);
    }
}
