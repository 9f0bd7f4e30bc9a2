using MASQuant.Cuda.Device;
using MASQuant.Diagnostics;

namespace MASQuant.Cuda.Driver;

/// <summary>Keeps freed blocks for the next request of their size: the driver's own allocation waits for the device. All work is in order on one stream, so a block may be lent again while earlier work still reads it.</summary>
public sealed unsafe class DeviceMemoryPool(PrimaryContext context, string device) : IDisposable
{
    private const long SmallBytes = 1 << 20;
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Stack<DeviceBlock>> _idle = [];
    private bool _disposed;
    private long _heldBytes;

    /// <summary>The most memory that the driver had given at once since <see cref="StartPeak"/>.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>Lends at least <paramref name="bytes"/> bytes.</summary>
    /// <exception cref="MASQuantException">MASQ1004: too little memory.</exception>
    public IDeviceMemory Rent(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        var size = RoundUp(bytes);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var block = _idle.TryGetValue(size, out var blocks) && blocks.TryPop(out var idle) ? idle : Allocate(size, bytes);
            return new PooledMemory(this, block, bytes);
        }
    }

    /// <summary>Frees what is not lent and begins <see cref="PeakBytes"/> anew.</summary>
    public void StartPeak()
    {
        lock (_gate)
        {
            Trim();
            PeakBytes = _heldBytes;
        }
    }

    /// <summary>Frees what is not lent; what is lent is freed when it comes back.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            Trim();
        }
    }

    /// <summary>Powers of two from 256 bytes to 1 MiB, then multiples of 2 MiB, the driver's own granularity.</summary>
    internal static long RoundUp(long bytes)
        => bytes <= SmallBytes ? Math.Max(256, (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)bytes)) : checked(bytes + (2 * SmallBytes) - 1) & ~((2 * SmallBytes) - 1);

    private DeviceBlock Allocate(long size, long bytes)
    {
        context.MakeCurrent();
        ulong address;
        var result = context.Driver.MemAlloc(&address, (nuint)size);
        if (result == DriverResult.OutOfMemory && _idle.Count > 0)
        {
            Trim();
            result = context.Driver.MemAlloc(&address, (nuint)size);
        }

        if (result == DriverResult.OutOfMemory)
        {
            throw TooLittle(bytes);
        }

        context.Driver.Check(result, "MemAlloc()");
        PeakBytes = Math.Max(PeakBytes, _heldBytes += size);
        return new DeviceBlock(context, address, size);
    }

    private MASQuantException TooLittle(long bytes)
    {
        nuint free, total;
        context.Driver.Check(context.Driver.MemGetInfo(&free, &total));
        return new MASQuantException(DiagnosticCodes.DeviceMemoryExhausted, null,
            $"{device} has too little memory: {Mebibytes(bytes)} are needed at once, {Mebibytes((long)free)} of {Mebibytes((long)total)} are free. Close other programs that use the GPU, choose a smaller scheme or a shorter prompt, or run on the processor: --device cpu.");
    }

    private void Trim()
    {
        foreach (var block in _idle.Values.SelectMany(blocks => blocks))
        {
            Free(block);
        }

        _idle.Clear();
    }

    private void Free(DeviceBlock block)
    {
        _heldBytes -= block.Bytes;
        block.Dispose();
    }

    private void Return(DeviceBlock block)
    {
        lock (_gate)
        {
            if (_disposed)
            {
                Free(block);
                return;
            }

            if (!_idle.TryGetValue(block.Bytes, out var blocks))
            {
                _idle.Add(block.Bytes, blocks = new Stack<DeviceBlock>());
            }

            blocks.Push(block);
        }
    }

    private static string Mebibytes(long bytes) => FormattableString.Invariant($"{Math.Ceiling(bytes / 1048576.0):N0} MiB");

    private sealed class PooledMemory(DeviceMemoryPool pool, DeviceBlock block, long bytes) : IDeviceMemory
    {
        private DeviceBlock? _block = block;

        public DevicePointer Pointer => new((ulong)(_block ?? throw new ObjectDisposedException(nameof(IDeviceMemory))).Value);

        public long Bytes => bytes;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _block, null) is { } returned)
            {
                pool.Return(returned);
            }
        }
    }
}
