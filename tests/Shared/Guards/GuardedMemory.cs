using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MASQuant.Tests.Guards;

/// <summary>Buffers that touch a page without access on one side, so that a read or a write beyond it ends the process. The rest of the other side's page is filled, and <see cref="Release"/> finds what was written there.</summary>
internal sealed unsafe partial class GuardedMemory(GuardSide side) : IDisposable
{
    private const byte Filling = 0xA5;
    private const int NoAccess = 0;
    private const int ReadAndWrite = 3;
    private const int PrivateAndAnonymous = 0x22;

    // What lies before an array's values: a word of the runtime, the type, the length.
    private const int ArrayHeader = 24;
    private readonly List<Mapping> _mappings = [];

    /// <summary>Room for <paramref name="count"/> values, filled like the rest of the page.</summary>
    public T* Pointer<T>(long count)
        where T : unmanaged => (T*)Map(0, count * sizeof(T));

    /// <summary>A copy.</summary>
    public T* Pointer<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        var start = Pointer<T>(values.Length);
        values.CopyTo(new Span<T>(start, values.Length));
        return start;
    }

    /// <summary>A copy.</summary>
    public Span<T> Span<T>(ReadOnlySpan<T> values)
        where T : unmanaged => new(Pointer(values), values.Length);

    /// <summary>A copy.</summary>
    public ReadOnlyMemory<T> Memory<T>(ReadOnlyMemory<T> values)
        where T : unmanaged => values.IsEmpty ? values : new Region<T>(Pointer(values.Span), values.Length).Memory;

    /// <summary>A copy that is an array to all who read it: written as the runtime lays arrays out, where its collector does not look.</summary>
    public T[] Array<T>(T[] values)
        where T : unmanaged
    {
        if (values.Length == 0)
        {
            return values;
        }

        var first = Map(ArrayHeader, (long)values.Length * sizeof(T));
        var type = Unsafe.As<T[], nint>(ref values);
        var array = (nint)(first + ArrayHeader - (2 * sizeof(nint)));
        *(nint*)(first) = 0;
        *(nint*)array = *(nint*)type;
        *(long*)(array + sizeof(nint)) = values.Length;
        values.AsSpan().CopyTo(new Span<T>(first + ArrayHeader, values.Length));
        return Unsafe.As<nint, T[]>(ref array);
    }

    /// <summary>A copy.</summary>
    public Matrix Matrix(Matrix matrix) => new(matrix.Rows, matrix.Columns, Array(matrix.Span.ToArray()));

    /// <summary>Gives the memory back.</summary>
    /// <exception cref="InvalidOperationException">Something was written beside a buffer.</exception>
    public void Release()
    {
        var spoiled = _mappings.Exists(mapping => !mapping.IsClean(Filling));
        _mappings.ForEach(mapping => Unmap(mapping.Pages, (nuint)mapping.Length));
        _mappings.Clear();
        if (spoiled)
        {
            throw new InvalidOperationException("Something was written beside a buffer.");
        }
    }

    public void Dispose() => Release();

    private byte* Map(int header, long bytes)
    {
        var page = Environment.SystemPageSize;
        var used = header + bytes;
        var inner = (used + page - 1) / page * page;
        var length = inner + (2 * page);
        var pages = Map(0, (nuint)length, NoAccess, PrivateAndAnonymous, -1, 0);
        if (pages == -1 || (inner > 0 && Protect(pages + page, (nuint)inner, ReadAndWrite) != 0))
        {
            throw new InvalidOperationException($"The system gives no {length} bytes.");
        }

        var first = (byte*)pages + page;
        new Span<byte>(first, (int)inner).Fill(Filling);
        var start = side == GuardSide.Behind ? first + inner - used : first;
        _mappings.Add(new Mapping(pages, length, first, inner, start, used));
        return start;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int access, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int access);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);

    private readonly struct Mapping(nint pages, long length, byte* first, long inner, byte* start, long used)
    {
        private readonly byte* _first = first;
        private readonly byte* _start = start;
        private readonly long _inner = inner;
        private readonly long _used = used;

        public nint Pages { get; } = pages;

        public long Length { get; } = length;

        public bool IsClean(byte filling)
        {
            var end = _start + _used;
            return !new Span<byte>(_first, (int)(_start - _first)).ContainsAnyExcept(filling) && !new Span<byte>(end, (int)(_first + _inner - end)).ContainsAnyExcept(filling);
        }
    }

    private sealed class Region<T>(T* start, int length) : MemoryManager<T>
        where T : unmanaged
    {
        public override Span<T> GetSpan() => new(start, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
