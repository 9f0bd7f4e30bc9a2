using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>Working memory of one thread, grown on demand and kept. A buffer's content lives until the thread asks for that buffer again.</summary>
internal sealed unsafe class Scratch
{
    [ThreadStatic]
    private static Scratch? _current;

    private AlignedBuffer<byte>? _rows;
    private AlignedBuffer<byte>? _panel;
    private AlignedBuffer<byte>? _tile;
    private AlignedBuffer<byte>? _sums;
    private AlignedBuffer<byte>? _lowRank;

    /// <summary>The calling thread's memory.</summary>
    public static Scratch Current => _current ??= new Scratch();

    /// <summary>For packed rows of the left operand.</summary>
    public T* Rows<T>(long length)
        where T : unmanaged => (T*)Get(ref _rows, length * sizeof(T));

    /// <summary>For one panel of the right operand.</summary>
    public T* Panel<T>(long length)
        where T : unmanaged => (T*)Get(ref _panel, length * sizeof(T));

    /// <summary>For one kernel's output.</summary>
    public T* Tile<T>(long length)
        where T : unmanaged => (T*)Get(ref _tile, length * sizeof(T));

    /// <summary>For sums that are added to an output only when complete.</summary>
    public T* Sums<T>(long length)
        where T : unmanaged => (T*)Get(ref _sums, length * sizeof(T));

    /// <summary>For tokens · L1.</summary>
    public T* LowRank<T>(long length)
        where T : unmanaged => (T*)Get(ref _lowRank, length * sizeof(T));

    private static byte* Get(ref AlignedBuffer<byte>? buffer, long bytes)
    {
        if (buffer is null || buffer.Length < bytes)
        {
            buffer = new AlignedBuffer<byte>(bytes);
        }

        return buffer.Pointer;
    }
}
