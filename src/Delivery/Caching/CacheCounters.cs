using System.Globalization;
using MASQuant.Delivery.Locks;
using MASQuant.Platform;

namespace MASQuant.Delivery.Caching;

/// <summary>How often a cache served since it was made.</summary>
/// <param name="Local">Artifacts taken from the folder.</param>
/// <param name="Remote">Artifacts downloaded.</param>
/// <param name="Quantized">Artifacts that were nowhere and had to be made.</param>
public readonly record struct CacheCounters(long Local, long Remote, long Quantized)
{
    /// <summary>All times that an artifact was asked for.</summary>
    public long Asked => Local + Remote + Quantized;

    /// <summary>Reads the counters; zeros when there are none or they cannot be read.</summary>
    public static CacheCounters Read(CacheFolder folder)
    {
        try
        {
            return FileSystem.Current.ReadAllText(folder.Counters).Split() is [var local, var remote, var quantized, ..] ? new CacheCounters(Number(local), Number(remote), Number(quantized)) : default;
        }
        catch (IOException)
        {
            return default;
        }
    }

    /// <summary>Adds to the counters. They are no more than information: a folder that cannot be written is left alone.</summary>
    public static void Add(CacheFolder folder, CacheCounters more, CancellationToken cancellationToken)
    {
        try
        {
            using var alone = folder.LockStore(cancellationToken);
            var old = Read(folder);
            var text = string.Create(CultureInfo.InvariantCulture, $"{old.Local + more.Local} {old.Remote + more.Remote} {old.Quantized + more.Quantized}\n");
            LockedFile.Write(folder.Counters, text);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or MASQuantException)
        {
        }
    }

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
