using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace MASQuant.Platform;

/// <summary>Files, as all of this code reaches them: the one place where tests make them fail at the n-th call, or note what a power loss would leave. To ask whether a file exists needs no place here: a file system that fails says no.</summary>
internal class FileSystem
{
    private static readonly AsyncLocal<FileSystem?> Replaced = new();
    private static readonly FileSystem Own = new();

    /// <summary>The file system of whoever runs.</summary>
    public static FileSystem Current => Replaced.Value ?? Own;

    /// <summary>Puts another in its place, for this thread and what it starts from here on; null puts the system's back.</summary>
    public static void Use(FileSystem? other) => Replaced.Value = other;

    /// <summary>Opens or creates a file.</summary>
    public virtual FileStream Open(string path, FileMode mode, FileAccess access, FileShare share, int bufferSize = 0, FileOptions options = FileOptions.None)
        => new(path, mode, access, share, bufferSize, options);

    /// <summary>Opens a file to be mapped.</summary>
    public virtual SafeFileHandle OpenHandle(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);

    /// <summary>Maps an open file, read-only.</summary>
    public virtual MemoryMappedFile Map(SafeFileHandle file) => MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);

    /// <summary>All of a mapping.</summary>
    public virtual MemoryMappedViewAccessor View(MemoryMappedFile map) => map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);

    public virtual byte[] ReadAllBytes(string path) => File.ReadAllBytes(path);

    public virtual string ReadAllText(string path) => File.ReadAllText(path);

    /// <summary>A file's length and times; read when they are asked for.</summary>
    public virtual FileInfo Info(string path) => new(path);

    public virtual IEnumerable<FileInfo> Files(string folder, string pattern = "*", SearchOption depth = SearchOption.TopDirectoryOnly) => new DirectoryInfo(folder).EnumerateFiles(pattern, depth);

    public virtual IEnumerable<DirectoryInfo> Folders(string folder, string pattern = "*") => new DirectoryInfo(folder).EnumerateDirectories(pattern);

    /// <summary>Renames a file over another, if there is one.</summary>
    public virtual void Move(string from, string to) => File.Move(from, to, overwrite: true);

    public virtual void MoveFolder(string from, string to) => Directory.Move(from, to);

    /// <summary>Copies a file over another, if there is one. File systems that can share blocks until one side writes do so.</summary>
    public virtual void Copy(string from, string to) => File.Copy(from, to, overwrite: true);

    /// <summary>Deletes a file, if there is one.</summary>
    public virtual void Delete(string path) => File.Delete(path);

    public virtual void DeleteFolder(string path, bool recursive) => Directory.Delete(path, recursive);

    /// <summary>Creates a folder and those above it, as far as they are missing; a power loss does not undo it.</summary>
    public void CreateFolder(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (!Directory.Exists(full) && Path.GetDirectoryName(full) is { } parent)
        {
            CreateFolder(parent);
            CreateOneFolder(full);
            SyncFolder(parent);
        }
    }

    /// <summary>Sets the time of a file's last change.</summary>
    public virtual void SetTime(string path, DateTime utc) => File.SetLastWriteTimeUtc(path, utc);

    /// <inheritdoc cref="SetTime(string, DateTime)"/>
    public virtual void SetTime(SafeFileHandle file, DateTime utc) => File.SetLastWriteTimeUtc(file, utc);

    /// <summary>Brings a file's content to the disk: before it gets a name that others look for.</summary>
    public virtual void Sync(string path)
    {
        // Windows wants a handle that may write.
        using var file = File.OpenHandle(path, FileMode.Open, OperatingSystem.IsWindows() ? FileAccess.Write : FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        RandomAccess.FlushToDisk(file);
    }

    /// <summary>Brings a folder's names to the disk: what was created, renamed and deleted in it outlives a power loss.</summary>
    public virtual void SyncFolder(string path) => FolderSync.Run(path);

    /// <summary>Creates a folder in one that exists.</summary>
    protected virtual void CreateOneFolder(string path) => Directory.CreateDirectory(path);
}
