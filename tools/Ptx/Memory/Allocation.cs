using System.Runtime.InteropServices;

namespace MASQuant.Ptx.Memory;

/// <summary>One block of device memory and its bytes on the host.</summary>
internal sealed unsafe class Allocation
{
    public Allocation(ulong start, long bytes)
    {
        (Start, Bytes) = (start, bytes);
        Host = (byte*)NativeMemory.AlignedAlloc((nuint)bytes + 64, 256);
        NativeMemory.Fill(Host, (nuint)bytes, 0xFF);
    }

    /// <summary>The device address.</summary>
    public ulong Start { get; }

    public long Bytes { get; }

    public byte* Host { get; private set; }

    public void Release()
    {
        NativeMemory.AlignedFree(Host);
        Host = null;
    }
}
