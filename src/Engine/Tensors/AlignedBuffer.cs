namespace MASQuant.Engine.Tensors;

/// <summary>Memory that does not move and begins on a cache line, freed with the object.</summary>
internal sealed unsafe class AlignedBuffer<T>
    where T : unmanaged
{
    private const int Alignment = 64;
    private readonly T[] _array;

    /// <summary>Room for <paramref name="length"/> values, not cleared.</summary>
    public AlignedBuffer(long length)
    {
        Length = length;
        _array = LargeArray.Uninitialized<T>(checked((int)(length + (Alignment / sizeof(T)))), pinned: true);
        fixed (T* start = _array)
        {
            Pointer = (T*)(((nint)start + Alignment - 1) & -Alignment);
        }
    }

    /// <summary>The number of values.</summary>
    public long Length { get; }

    /// <summary>The first value; valid as long as this object is reachable.</summary>
    public T* Pointer { get; }
}
