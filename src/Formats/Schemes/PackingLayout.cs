using MASQuant.Diagnostics;

namespace MASQuant.Formats.Schemes;

/// <summary>The order in which codes are stored, in files and in memory: panels of 16 outputs, inside them steps of 4 inputs (8-bit) or 8 inputs (4-bit), inside them 16 outputs × 4 bytes.
/// An 8-bit byte is a signed code. A 4-bit byte holds input k in its low and input k + 4 in its high half, each offset by 8 (symmetric) or unsigned (W4A16).</summary>
public static class PackingLayout
{
    /// <summary>Outputs per panel; N must be a multiple.</summary>
    public const int PanelOutputs = 16;

    /// <summary>Inputs of one output that lie side by side.</summary>
    public const int RunInputs = 4;

    /// <summary>K must be a multiple of this, for either width.</summary>
    public const int InputMultiple = 8;

    /// <summary>The largest K: up to here a sum of 127 · 128 products fits 32 bits.</summary>
    public const int MaxInputs = int.MaxValue / (127 * 128);

    /// <summary>Inputs that share a scale in W4A16 or a second-level scale; K must be a multiple there.</summary>
    public const int GroupSize = 128;

    /// <summary>What is added to a symmetric 4-bit code before it is stored.</summary>
    public const int Int4Offset = 8;

    /// <summary>The largest second-level scale: a stored nibble stands for −8…7, and −8 · 16 is the least 8-bit integer.</summary>
    public const int MaxGroupScale = 16;

    /// <summary>Where the second-level scale of output <paramref name="n"/> and input <paramref name="k"/> lies: [N/16, K/128, 16].</summary>
    public static int GroupScaleIndex(int n, int k, int inputs)
        => ((((n / PanelOutputs) * (inputs / GroupSize)) + (k / GroupSize)) * PanelOutputs) + (n % PanelOutputs);

    /// <summary>The bytes of a packed [N, K] weight.</summary>
    public static long PackedBytes(int outputs, int inputs, int weightBits) => checked((long)outputs * inputs * weightBits / 8);

    /// <summary>Refuses shapes that the layout cannot hold.</summary>
    /// <exception cref="MASQuantException">MASQ0501, naming <paramref name="layer"/>.</exception>
    public static void CheckShape(string layer, int outputs, int inputs, QuantizationScheme scheme)
    {
        var multiple = scheme.HasZeroPoints ? GroupSize : InputMultiple;
        if (outputs <= 0 || inputs <= 0 || outputs % PanelOutputs != 0 || inputs % multiple != 0)
        {
            throw new MASQuantException(DiagnosticCodes.ShapeNotPackable, null,
                $"Layer '{layer}' has shape [{outputs}, {inputs}]; {scheme} packs outputs in multiples of {PanelOutputs} and inputs in multiples of {multiple}. Choose another scheme or leave the layer out.");
        }

        if (inputs > MaxInputs)
        {
            throw new MASQuantException(DiagnosticCodes.ShapeNotPackable, null,
                $"Layer '{layer}' has {inputs} inputs; 32-bit sums hold {MaxInputs}. Leave the layer out.");
        }
    }

    /// <summary>Refuses inputs that do not divide into groups of second-level scales.</summary>
    /// <exception cref="MASQuantException">MASQ0501, naming <paramref name="layer"/>.</exception>
    public static void CheckGroups(string layer, int inputs)
    {
        if (inputs % GroupSize != 0)
        {
            throw new MASQuantException(DiagnosticCodes.ShapeNotPackable, null,
                $"Layer '{layer}' has {inputs} inputs; second-level scales need a multiple of {GroupSize}. Set GroupSize to 0.");
        }
    }

    /// <summary>The codes [N, K], row-major, of a packed weight.</summary>
    public static sbyte[] Unpack(ReadOnlySpan<byte> packed, int outputs, int inputs, int weightBits, bool unsigned = false)
    {
        var codes = new sbyte[checked(outputs * inputs)];
        for (var n = 0; n < outputs; n++)
        {
            for (var k = 0; k < inputs; k++)
            {
                codes[(n * inputs) + k] = Code(packed, n, k, inputs, weightBits, unsigned);
            }
        }

        return codes;
    }

    /// <summary>One code of a packed weight.</summary>
    public static sbyte Code(ReadOnlySpan<byte> packed, int n, int k, int inputs, int weightBits, bool unsigned = false)
        => weightBits == 8
            ? (sbyte)packed[ByteIndex8(n, k, inputs)]
            : (sbyte)(((packed[ByteIndex4(n, k, inputs)] >> Shift4(k)) & 0xF) - (unsigned ? 0 : Int4Offset));

    /// <summary>The byte of an 8-bit code.</summary>
    public static int ByteIndex8(int n, int k, int inputs)
        => ((n / PanelOutputs * (inputs / RunInputs)) + (k / RunInputs)) * (PanelOutputs * RunInputs) + (n % PanelOutputs * RunInputs) + (k % RunInputs);

    /// <summary>The byte of a 4-bit code, of which it holds two.</summary>
    public static int ByteIndex4(int n, int k, int inputs)
        => ((n / PanelOutputs * (inputs / (2 * RunInputs))) + (k / (2 * RunInputs))) * (PanelOutputs * RunInputs) + (n % PanelOutputs * RunInputs) + (k % RunInputs);

    /// <summary>Where in its byte a 4-bit code of input <paramref name="k"/> begins.</summary>
    public static int Shift4(int k) => k % (2 * RunInputs) < RunInputs ? 0 : 4;
}
