using System.Buffers.Binary;
using System.Runtime.InteropServices;
using MASQuant.Gemm.Cuda;

namespace MASQuant.Bench.Cuda.Checks;

/// <summary>A device that keeps the logits from which each choice that is read back was drawn.</summary>
/// <param name="device">The device.</param>
/// <param name="vocabulary">V.</param>
internal sealed class ListeningDevice(ICudaDevice device, int vocabulary) : ICudaDevice
{
    private DevicePointer _logits;

    /// <summary>V logits for each choice, in order.</summary>
    public List<float[]> Logits { get; } = [];

    public string Name => device.Name;

    public int ComputeCapability => device.ComputeCapability;

    public int Multiprocessors => device.Multiprocessors;

    public int SharedBytesPerBlock => device.SharedBytesPerBlock;

    public IDeviceMemory Allocate(long bytes) => device.Allocate(bytes);

    public void Write(DevicePointer target, ReadOnlySpan<byte> source) => device.Write(target, source);

    public void Read(DevicePointer source, Span<byte> target)
    {
        device.Read(source, target);
        for (var row = 0; target.Length <= GemmKernels.DecodeTokens * TokenKernels.ChoiceBytes && row < target.Length / TokenKernels.ChoiceBytes; row++)
        {
            var logits = new float[vocabulary];
            device.Read(_logits + ((long)row * vocabulary * sizeof(float)), MemoryMarshal.AsBytes(logits.AsSpan()));
            Logits.Add(logits);
        }
    }

    public void Copy(DevicePointer source, DevicePointer target, long bytes) => device.Copy(source, target, bytes);

    public void Clear(DevicePointer target, long bytes) => device.Clear(target, bytes);

    public void Launch(in KernelLaunch launch)
    {
        if (launch.Kernel.Entry == "choose_parts")
        {
            _logits = new DevicePointer(BinaryPrimitives.ReadUInt64LittleEndian(launch.Arguments.Bytes));
        }

        device.Launch(launch);
    }

    public IDeviceGraph Record(Action work) => device.Record(work);

    public void Synchronize() => device.Synchronize();

    public void Dispose() => device.Dispose();
}
