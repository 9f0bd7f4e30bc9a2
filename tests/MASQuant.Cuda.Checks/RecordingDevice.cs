using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Checks;

/// <summary>A device that remembers, as a hash, all that is read back from it. It is not its device's owner.</summary>
internal sealed class RecordingDevice(ICudaDevice device) : ForwardingDevice(device)
{
    private HashCode _read; // No cryptography: it would ask for a library that a GPU machine may lack.

    /// <summary>The hash, which tells runs of one process apart.</summary>
    public int ReadSoFar => _read.ToHashCode();

    public override void Read(DevicePointer source, Span<byte> target)
    {
        base.Read(source, target);
        _read.AddBytes(target);
    }

    public override void Dispose()
    {
    }
}
