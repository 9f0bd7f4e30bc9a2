using System.Buffers.Binary;
using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;

namespace MASQuant.Cuda.Checks;

/// <summary>A device that keeps the logits from which each choice that is read back was drawn.</summary>
/// <param name="device">The device.</param>
/// <param name="vocabulary">V.</param>
internal sealed class ListeningDevice(ICudaDevice device, int vocabulary) : ForwardingDevice(device)
{
    private DevicePointer _logits;

    /// <summary>V logits for each choice, in order.</summary>
    public List<float[]> Logits { get; } = [];

    public override void Read(DevicePointer source, Span<byte> target)
    {
        base.Read(source, target);
        for (var row = 0; target.Length <= GemmKernels.DecodeTokens * TokenKernels.ChoiceBytes && row < target.Length / TokenKernels.ChoiceBytes; row++)
        {
            var logits = new float[vocabulary];
            base.Read(_logits + ((long)row * vocabulary * sizeof(float)), MemoryMarshal.AsBytes(logits.AsSpan()));
            Logits.Add(logits);
        }
    }

    public override void Launch(in KernelLaunch launch)
    {
        if (launch.Kernel.Entry == "choose_parts")
        {
            _logits = new DevicePointer(BinaryPrimitives.ReadUInt64LittleEndian(launch.Arguments.Bytes));
        }

        base.Launch(launch);
    }
}
