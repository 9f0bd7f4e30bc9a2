namespace MASQuant.Formats.Safetensors;

/// <summary>Sizes and file spellings of <see cref="DataType"/>.</summary>
public static class DataTypes
{
    /// <summary>The bytes of one element.</summary>
    public static int ByteSize(this DataType type) => type switch
    {
        DataType.Bool or DataType.U8 or DataType.I8 or DataType.F8E4M3 or DataType.F8E5M2 or DataType.F8E8M0 => 1,
        DataType.I16 or DataType.U16 or DataType.F16 or DataType.BF16 => 2,
        DataType.I32 or DataType.U32 or DataType.F32 => 4,
        DataType.F64 or DataType.I64 or DataType.U64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    /// <summary>The name in a header: <c>BF16</c>, <c>BOOL</c>.</summary>
    public static string FileName(this DataType type) => type switch
    {
        DataType.Bool => "BOOL",
        DataType.U8 => "U8",
        DataType.I8 => "I8",
        DataType.F8E4M3 => "F8_E4M3",
        DataType.F8E5M2 => "F8_E5M2",
        DataType.F8E8M0 => "F8_E8M0",
        DataType.I16 => "I16",
        DataType.U16 => "U16",
        DataType.F16 => "F16",
        DataType.BF16 => "BF16",
        DataType.I32 => "I32",
        DataType.U32 => "U32",
        DataType.F32 => "F32",
        DataType.F64 => "F64",
        DataType.I64 => "I64",
        DataType.U64 => "U64",
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    /// <summary>The inverse of <see cref="FileName"/>; exact spelling.</summary>
    public static bool TryParse(string? name, out DataType type)
    {
        foreach (var candidate in Enum.GetValues<DataType>())
        {
            if (candidate.FileName() == name)
            {
                type = candidate;
                return true;
            }
        }

        type = default;
        return false;
    }
}
