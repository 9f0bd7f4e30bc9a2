using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MASQuant.Cuda.Device;

/// <summary>The parameters of a launch in the layout of a kernel's parameter block: in order, each aligned to its size. A value, so that a launch allocates nothing. The driver takes it as <c>CU_LAUNCH_PARAM_BUFFER</c>.</summary>
public struct KernelArguments
{
    /// <summary>The most bytes of parameters.</summary>
    public const int Capacity = 192;

    private Block _bytes;
    private int _length;

    /// <summary>The bytes used.</summary>
    public readonly int Length => _length;

    /// <summary>The bytes, <see cref="Length"/> of them.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Bytes => MemoryMarshal.CreateReadOnlySpan(in Unsafe.As<Block, byte>(ref Unsafe.AsRef(in _bytes)), _length);

    /// <summary>This block followed by <paramref name="value"/>.</summary>
    public readonly KernelArguments With(DevicePointer value) => With<ulong>(value.Address);

    /// <inheritdoc cref="With(DevicePointer)"/>
    public readonly KernelArguments With(int value) => With<int>(value);

    /// <inheritdoc cref="With(DevicePointer)"/>
    public readonly KernelArguments With(long value) => With<long>(value);

    /// <inheritdoc cref="With(DevicePointer)"/>
    public readonly KernelArguments With(float value) => With<float>(value);

    private readonly KernelArguments With<T>(T value)
        where T : unmanaged
    {
        var size = Unsafe.SizeOf<T>();
        var start = (_length + size - 1) & -size;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + size, Capacity, nameof(value));
        var longer = this;
        Unsafe.WriteUnaligned(ref Unsafe.AddByteOffset(ref Unsafe.As<Block, byte>(ref longer._bytes), start), value);
        longer._length = start + size;
        return longer;
    }

    [InlineArray(Capacity)]
    private struct Block
    {
        private byte _first;
    }
}
