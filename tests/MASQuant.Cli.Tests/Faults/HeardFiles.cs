using System.IO.MemoryMappedFiles;
using MASQuant.Platform;
using Microsoft.Win32.SafeHandles;

namespace MASQuant.Cli.Tests.Faults;

/// <summary>What a program asked of the file system.</summary>
internal enum FileCall
{
    Open,
    Read,
    Write,
    Sync,
    Map,
    List,
    Move,
    Copy,
    Delete,
    DeleteFolder,
    CreateFolder,
    SyncFolder,
    SetTime,
    Stat,
}

/// <summary>The system's files, every call of which is heard before and after it is carried out. Nothing waits for the disk.</summary>
internal abstract class HeardFiles : FileSystem
{
    public override FileStream Open(string path, FileMode mode, FileAccess access, FileShare share, int bufferSize, FileOptions options)
    {
        Before(FileCall.Open, path);
        var isNew = access != FileAccess.Read && (mode is FileMode.Create or FileMode.CreateNew || !File.Exists(path));
        var file = new HeardFile(this, path, mode, access, share, bufferSize, options);
        if (isNew)
        {
            After(FileCall.Open, file.Name);
        }

        return file;
    }

    public override SafeFileHandle OpenHandle(string path) => Do(FileCall.Open, path, base.OpenHandle);

    public override MemoryMappedFile Map(SafeFileHandle file)
    {
        Before(FileCall.Map, "a file");
        return base.Map(file);
    }

    public override MemoryMappedViewAccessor View(MemoryMappedFile map)
    {
        Before(FileCall.Map, "a view");
        return base.View(map);
    }

    public override byte[] ReadAllBytes(string path) => Do(FileCall.Read, path, base.ReadAllBytes);

    public override string ReadAllText(string path) => Do(FileCall.Read, path, base.ReadAllText);

    public override FileInfo Info(string path) => Do(FileCall.Stat, path, base.Info);

    public override IEnumerable<FileInfo> Files(string folder, string pattern, SearchOption depth) => Do(FileCall.List, folder, _ => base.Files(folder, pattern, depth));

    public override IEnumerable<DirectoryInfo> Folders(string folder, string pattern) => Do(FileCall.List, folder, _ => base.Folders(folder, pattern));

    public override void Move(string from, string to) => Do(FileCall.Move, from, to, () => base.Move(from, to));

    public override void MoveFolder(string from, string to) => Do(FileCall.Move, from, to, () => base.MoveFolder(from, to));

    public override void Copy(string from, string to) => Do(FileCall.Copy, from, to, () => base.Copy(from, to));

    public override void Delete(string path) => Do(FileCall.Delete, path, null, () => base.Delete(path));

    // A folder goes file by file, and may go in part.
    public override void DeleteFolder(string path, bool recursive)
    {
        foreach (var inner in recursive ? Directory.GetDirectories(path) : [])
        {
            DeleteFolder(inner, recursive);
        }

        foreach (var file in recursive ? Directory.GetFiles(path) : [])
        {
            Delete(file);
        }

        Do(FileCall.DeleteFolder, path, null, () => base.DeleteFolder(path, recursive: false));
    }

    public override void SetTime(string path, DateTime utc) => Do(FileCall.SetTime, path, null, () => base.SetTime(path, utc));

    public override void SetTime(SafeFileHandle file, DateTime utc)
    {
        Before(FileCall.SetTime, "a file");
        base.SetTime(file, utc);
    }

    public override void Sync(string path) => Do(FileCall.Sync, path, null, () => { });

    public override void SyncFolder(string path) => Do(FileCall.SyncFolder, path, null, () => { });

    protected override void CreateOneFolder(string path) => Do(FileCall.CreateFolder, path, null, () => base.CreateOneFolder(path));

    /// <summary>May refuse the call.</summary>
    protected abstract void Before(FileCall call, string path);

    /// <summary>Hears what was done.</summary>
    protected virtual void After(FileCall call, string path, string? to = null, ReadOnlySpan<byte> bytes = default)
    {
    }

    private T Do<T>(FileCall call, string path, Func<string, T> work)
    {
        Before(call, path);
        return work(path);
    }

    private void Do(FileCall call, string path, string? to, Action work)
    {
        Before(call, path);
        work();
        After(call, path, to);
    }

    /// <summary>A file whose reads, writes and syncs are heard. A refused write has written half.</summary>
    private sealed class HeardFile(HeardFiles files, string path, FileMode mode, FileAccess access, FileShare share, int bufferSize, FileOptions options) : FileStream(path, mode, access, share, bufferSize, options)
    {
        // Of a derived class, the forms with spans come here too.
        public override int Read(byte[] buffer, int offset, int count)
        {
            files.Before(FileCall.Read, Name);
            return base.Read(buffer, offset, count);
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            files.Before(FileCall.Read, Name);
            return base.ReadAsync(buffer, offset, count, cancellationToken);
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            try
            {
                files.Before(FileCall.Write, Name);
            }
            catch (Exception)
            {
                base.Write(buffer, offset, count / 2);
                throw;
            }

            base.Write(buffer, offset, count);
            files.After(FileCall.Write, Name, null, buffer.AsSpan(offset, count));
        }

        public override void Flush(bool flushToDisk)
        {
            if (flushToDisk)
            {
                files.Before(FileCall.Sync, Name);
            }

            base.Flush(flushToDisk: false);
            if (flushToDisk)
            {
                files.After(FileCall.Sync, Name);
            }
        }
    }
}
