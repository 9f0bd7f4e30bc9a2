namespace MASQuant.Formats.Files;

/// <summary>Space on the disk of a folder.</summary>
public static class DiskSpace
{
    /// <summary>The bytes that this user may still write; null where the system does not tell, as Windows of network shares.</summary>
    /// <param name="folder">Exists.</param>
    public static long? Free(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception exception) when (exception is ArgumentException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
