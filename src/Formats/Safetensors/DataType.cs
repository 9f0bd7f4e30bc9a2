namespace MASQuant.Formats.Safetensors;

/// <summary>Element types of the format.</summary>
public enum DataType
{
    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>Unsigned 8-bit.</summary>
    U8,

    /// <summary>Signed 8-bit.</summary>
    I8,

    /// <summary>8-bit floating point, 4 bits of exponent.</summary>
    F8E4M3,

    /// <summary>8-bit floating point, 5 bits of exponent.</summary>
    F8E5M2,

    /// <summary>A power of two: 8 bits of exponent.</summary>
    F8E8M0,

    /// <summary>Signed 16-bit.</summary>
    I16,

    /// <summary>Unsigned 16-bit.</summary>
    U16,

    /// <summary>IEEE half precision.</summary>
    F16,

    /// <summary>The upper half of FP32.</summary>
    BF16,

    /// <summary>Signed 32-bit.</summary>
    I32,

    /// <summary>Unsigned 32-bit.</summary>
    U32,

    /// <summary>IEEE single precision.</summary>
    F32,

    /// <summary>IEEE double precision.</summary>
    F64,

    /// <summary>Signed 64-bit.</summary>
    I64,

    /// <summary>Unsigned 64-bit.</summary>
    U64,
}
