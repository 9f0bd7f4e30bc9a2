using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Driver;

/// <summary>Two pinned buffers through which copies between host and device go: while the device reads one, the host fills the other. Small copies share a buffer, so that they do not wait for each other.</summary>
public sealed unsafe class PinnedStaging : IDisposable
{
    /// <summary>The size of each buffer: enough to keep the bus busy while the other is filled.</summary>
    public const int BufferBytes = 4 << 20;

    private readonly PrimaryContext _context;
    private readonly CudaStream _stream;
    private readonly PinnedBlock[] _buffers = new PinnedBlock[2];
    private readonly CudaEvent[] _read = new CudaEvent[2]; // recorded when the last copy out of a full buffer is queued
    private int _current;
    private int _used;

    public PinnedStaging(PrimaryContext context, CudaStream stream)
    {
        (_context, _stream) = (context, stream);
        try
        {
            for (var i = 0; i < 2; i++)
            {
                _buffers[i] = PinnedBlock.Allocate(context, BufferBytes);
                _read[i] = CudaEvent.Create(context, timed: false);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Queues a copy to the device; <paramref name="source"/> is read before this returns.</summary>
    public void Write(DevicePointer target, ReadOnlySpan<byte> source)
    {
        while (!source.IsEmpty)
        {
            if (_used == BufferBytes)
            {
                Turn();
            }

            var count = Math.Min(source.Length, BufferBytes - _used);
            var staged = _buffers[_current].Pointer + _used;
            source[..count].CopyTo(new Span<byte>(staged, count));
            _context.Driver.Check(_context.Driver.MemcpyHtoDAsync(target.Address, staged, (nuint)count, _stream.Value));
            _used = Math.Min(BufferBytes, (_used + count + 255) & ~255);
            source = source[count..];
            target += count;
        }
    }

    /// <summary>Waits for the work queued before and copies from the device.</summary>
    public void Read(DevicePointer source, Span<byte> target)
    {
        var driver = _context.Driver;
        while (!target.IsEmpty)
        {
            if (_used == BufferBytes)
            {
                Turn();
            }

            var count = Math.Min(target.Length, BufferBytes - _used);
            var staged = _buffers[_current].Pointer + _used; // Behind what the device may still read.
            driver.Check(driver.MemcpyDtoHAsync(staged, source.Address, (nuint)count, _stream.Value));
            driver.Check(driver.StreamSynchronize(_stream.Value));
            _used = 0; // Nothing is under way: both buffers are free.
            new ReadOnlySpan<byte>(staged, count).CopyTo(target);
            source += count;
            target = target[count..];
        }
    }

    public void Dispose()
    {
        foreach (var handle in _buffers.Concat<ContextHandle>(_read))
        {
            handle?.Dispose();
        }
    }

    private void Turn()
    {
        _read[_current].Record(_stream);
        _current ^= 1;
        _read[_current].Synchronize();
        _used = 0;
    }
}
