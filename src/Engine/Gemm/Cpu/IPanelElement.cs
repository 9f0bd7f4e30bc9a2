using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>How a kernel reads the right operand: what is stored and how it becomes FP32.</summary>
internal unsafe interface IPanelElement
{
    /// <summary>Bytes per value.</summary>
    static abstract int Size { get; }

    /// <summary>16 values; needs AVX-512.</summary>
    static abstract Vector512<float> Load16(byte* source);

    /// <summary>8 values; needs AVX2.</summary>
    static abstract Vector256<float> Load8(byte* source);

    /// <summary>4 values.</summary>
    static abstract Vector128<float> Load4(byte* source);
}

/// <summary>FP32 as it is.</summary>
internal readonly unsafe struct Float32Element : IPanelElement
{
    public static int Size => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load16(byte* source) => Vector512.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load8(byte* source) => Vector256.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load4(byte* source) => Vector128.Load((float*)source);
}

/// <summary>BF16: the upper half of an FP32 value.</summary>
internal readonly unsafe struct BFloat16Element : IPanelElement
{
    public static int Size => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load16(byte* source)
        => Vector512.ShiftLeft(Avx512F.ConvertToVector512Int32(Vector256.Load((ushort*)source)), 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load8(byte* source)
        => Vector256.ShiftLeft(Avx2.ConvertToVector256Int32(Vector128.Load((ushort*)source)), 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load4(byte* source)
        => Vector128.ShiftLeft(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsUInt16()), 16).AsSingle();
}
