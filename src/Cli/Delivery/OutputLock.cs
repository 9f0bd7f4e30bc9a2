using MASQuant.Delivery;
using MASQuant.Delivery.Caching;
using MASQuant.Delivery.Locks;
using MASQuant.Delivery.Stores;
using MASQuant.Platform;

namespace MASQuant.Cli.Delivery;

/// <summary>Whoever holds it is the only process that brings files of a name to a folder that a person named, and reads them while it reports on them. It ends with its process.</summary>
internal sealed class OutputLock : IDisposable
{
    private readonly string _output;
    private readonly bool _isNew;
    private readonly FileStream _file;

    private OutputLock(string output, bool isNew, FileStream file) => (_output, _isNew, _file) = (output, isNew, file);

    /// <summary>Waits until no other process brings the name there.</summary>
    /// <exception cref="MASQuantException">MASQ0111: the folder cannot be written.</exception>
    public static OutputLock Take(string output, string name, IDeliveryLog log, CancellationToken cancellationToken)
    {
        var isNew = !Directory.Exists(output);
        return new OutputLock(output, isNew, FileLock.Take(RunFolder.LockFile(UnfinishedRuns.ParentOf(output), name), () => log.Report(DeliveryEvent.Waiting(name)), cancellationToken));
    }

    /// <summary>Lets the next one in, and leaves no folder that is empty.</summary>
    public void Dispose()
    {
        _file.Dispose();
        UnfinishedRuns.Tidy(_output);
        if (_isNew && Directory.Exists(_output))
        {
            TryDelete();
        }
    }

    private void TryDelete()
    {
        try
        {
            if (!FileSystem.Current.Files(_output).Any() && !FileSystem.Current.Folders(_output).Any())
            {
                FileSystem.Current.DeleteFolder(_output, recursive: false);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody begins in it; or an empty folder stays.
        }
    }
}
