using System.Buffers;
using System.IO.MemoryMappedFiles;
using MASQuant.Diagnostics;
using MASQuant.Platform;
using Microsoft.Win32.SafeHandles;

namespace MASQuant.Formats.Files;

/// <summary>A file mapped read-only, of any length. Memory taken from it is valid until <see cref="Dispose"/>, what is pinned until it is unpinned; spans are not counted, so who disposes sees to it that none is in use.</summary>
/// <remarks>
/// The file stays open with the mapping. Windows then refuses every writer, .NET on other systems those that ask for the file alone; there any other program may write, which no mapping survives: bytes
/// overwritten in place are read as they are then, and reading beyond a truncated end kills the process (SIGBUS). <see cref="RequireWhole"/> finds a truncation before the read, not during it.
/// A file that is replaced by renaming another, as <see cref="AtomicFile"/> does, or deleted leaves the mapping as it was.
/// </remarks>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly SafeFileHandle? _handle;
    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _start;
    private bool _disposed;

    /// <exception cref="MASQuantException">MASQ0101: the file is missing, no regular file, or cannot be read.</exception>
    public MappedFile(string path)
    {
        Path = path;
        RegularFile.Require(path);
        try
        {
            _handle = FileSystem.Current.OpenHandle(path);
            Length = RandomAccess.GetLength(_handle);
            if (Length == 0)
            {
                return; // Nothing can be mapped; every slice is empty.
            }

            _map = FileSystem.Current.Map(_handle);
            _view = FileSystem.Current.View(_map);
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            _view?.Dispose();
            _map?.Dispose();
            _handle?.Dispose();
            throw new MASQuantException(DiagnosticCodes.FileNotReadable, path, $"The file cannot be read: {e.Message.TrimEnd('.')}. Check the path and its permissions.", e);
        }
    }

    public string Path { get; }

    /// <summary>The file's length in bytes.</summary>
    public long Length { get; }

    /// <summary><paramref name="count"/> elements from byte <paramref name="offset"/> on, without copying.</summary>
    public ReadOnlyMemory<T> Slice<T>(long offset, int count)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - ((long)count * sizeof(T)));
        return count == 0 ? ReadOnlyMemory<T>.Empty : new Region<T>(this, offset, count).Memory;
    }

    /// <summary>Gives back the whole pages of <paramref name="count"/> bytes from byte <paramref name="offset"/> on; they can be read as before.</summary>
    public void Discard(long offset, long count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - count);
        if (_start is not null)
        {
            MappedPages.Discard(_start + offset, count);
        }
    }

    /// <summary>Refuses a file that has become shorter since it was mapped.</summary>
    /// <exception cref="MASQuantException">MASQ0101.</exception>
    public void RequireWhole()
    {
        var length = RandomAccess.GetLength(_handle!);
        if (length < Length)
        {
            throw new MASQuantException(DiagnosticCodes.FileNotReadable, Path,
                $"The file has {length} bytes and had {Length} when it was opened: it was truncated or overwritten in place. Open it again when it is whole; to replace a file in use, write another and rename it.");
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (_start is not null)
        {
            _view!.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        _view?.Dispose();
        _map?.Dispose();
        _handle?.Dispose();
    }

    private sealed class Region<T>(MappedFile file, long offset, int count) : MemoryManager<T>
        where T : unmanaged
    {
        public override Span<T> GetSpan()
        {
            ObjectDisposedException.ThrowIf(file._disposed, file);
            return new Span<T>(file._start + offset, count);
        }

        public override MemoryHandle Pin(int elementIndex = 0)
        {
            ObjectDisposedException.ThrowIf(file._disposed, file);
            byte* start = null;
            file._view!.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            return new MemoryHandle((T*)(start + offset) + elementIndex, pinnable: this);
        }

        // The last of the owner and the pins unmaps.
        public override void Unpin() => file._view!.SafeMemoryMappedViewHandle.ReleasePointer();

        protected override void Dispose(bool disposing)
        {
        }
    }
}
