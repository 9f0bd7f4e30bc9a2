using System.Text;
using MASQuant.Platform;

namespace MASQuant.Delivery.Locks;

/// <summary>Replaces small files that several processes keep. Their temporary file has one name, so what a killed writer left is the next one's to use.</summary>
public static class LockedFile
{
    private const string TemporarySuffix = ".tmp";

    /// <summary>Replaces a file, whole even after a power loss; the caller holds the lock that its writers share.</summary>
    public static void Write(string path, string text)
    {
        FileSystem.Current.CreateFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using (var stream = FileSystem.Current.Open(path + TemporarySuffix, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        FileSystem.Current.Move(path + TemporarySuffix, path);
    }
}
