using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>Collects what is to stay on a device, then brings it there in one block: so that too little memory is known, and said, before anything is copied.</summary>
public sealed class DeviceUpload
{
    private const long Alignment = 256;
    private readonly List<(DeviceSlot Slot, long Start, Action<ICudaDevice, DevicePointer> Fill)> _parts = [];
    private long _bytes;

    /// <summary>The bytes collected.</summary>
    public long Bytes => _bytes;

    /// <summary>Reserves <paramref name="bytes"/>, which <paramref name="fill"/> writes when the pointers of all slots are known.</summary>
    public DeviceSlot Add(long bytes, Action<ICudaDevice, DevicePointer> fill)
    {
        if (bytes == 0)
        {
            return DeviceSlot.None;
        }

        var slot = new DeviceSlot();
        _parts.Add((slot, _bytes, fill));
        _bytes = checked((_bytes + bytes + Alignment - 1) / Alignment * Alignment);
        return slot;
    }

    /// <summary>Copies bytes as they are, one piece behind the other; they are read when the upload runs.</summary>
    public DeviceSlot Add(IReadOnlyList<ReadOnlyMemory<byte>> pieces) => Add(pieces.Sum(piece => (long)piece.Length), (device, target) =>
    {
        foreach (var piece in pieces)
        {
            device.Write(target, piece.Span);
            target += piece.Length;
        }
    });

    /// <summary>Copies values as they are; they are read when the upload runs. No values need no memory.</summary>
    public DeviceSlot Add<T>(ReadOnlyMemory<T> values)
        where T : unmanaged
        => Add((long)values.Length * Unsafe.SizeOf<T>(), (device, target) =>
        {
            // In pieces: a span of bytes holds 2 GiB.
            const int Piece = 1 << 26;
            for (var start = 0; start < values.Length; start += Piece)
            {
                device.Write(target + ((long)start * Unsafe.SizeOf<T>()), MemoryMarshal.AsBytes(values.Span.Slice(start, Math.Min(Piece, values.Length - start))));
            }
        });

    /// <summary>Allocates and copies. The memory must be disposed after the last use of a slot.</summary>
    /// <exception cref="MASQuantException">MASQ1004: the device has too little memory; the message says how much is needed.</exception>
    public IDeviceMemory Run(ICudaDevice device)
    {
        var memory = device.Allocate(Math.Max(1, _bytes));
        try
        {
            foreach (var (slot, start, _) in _parts)
            {
                slot.Pointer = memory.Pointer + start;
            }

            foreach (var (slot, _, fill) in _parts)
            {
                fill(device, slot.Pointer);
            }

            return memory;
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }
}
