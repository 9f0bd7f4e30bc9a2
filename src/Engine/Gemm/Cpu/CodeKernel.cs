using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The integer kernel for one width of weights on the machine at hand: which numbers it multiplies, how many tokens at once, and how stored panels become its weights.</summary>
internal readonly unsafe struct CodeKernel
{
    private readonly CpuLevel _level;
    private readonly bool _vnni;
    private readonly int _weightBits;
    private readonly bool _grouped;

    private CodeKernel(CpuLevel level, bool vnni, int weightBits, bool grouped)
    {
        (_level, _vnni, _weightBits, _grouped) = (level, vnni, weightBits, grouped);
        Form = level != CpuLevel.Neon && (level == CpuLevel.Portable || (weightBits == 8 && !vnni)) ? CodeForm.Words : CodeForm.Bytes;
    }

    /// <summary>The numbers that it multiplies.</summary>
    public CodeForm Form { get; }

    /// <summary>What was added to every weight: Σ code · (weight + offset) − offset · Σ code is the product.</summary>
    public int Offset => Form == CodeForm.Words ? 0 : _weightBits == 4 ? PackingLayout.Int4Offset : _level == CpuLevel.Neon ? 0 : 128;

    /// <summary>The most tokens of one call.</summary>
    public int MaxRows => (Form, _level, _vnni) switch
    {
        (_, CpuLevel.Neon, _) => ByteKernelNeon.MaxRows,
        (CodeForm.Bytes, CpuLevel.Avx512, false) => ByteKernelAvx512.MaxRows,
        (CodeForm.Bytes, _, _) => ByteKernelAvx2.MaxRows(_vnni),
        (_, CpuLevel.Avx512, _) => WordKernelAvx512.MaxRows,
        (_, CpuLevel.Avx2, _) => WordKernelAvx2.MaxRows,
        _ => WordKernelPortable.MaxRows,
    };

    /// <summary>The most tokens for which reading a panel as it is stored is better than unpacking it first; 0 when there is no such kernel.</summary>
    public int MaxPackedRows => (Form, _level, _weightBits) switch
    {
        _ when _grouped => 0,
        (_, CpuLevel.Neon, _) => MaxRows,
        (CodeForm.Bytes, CpuLevel.Avx512, 4) when !_vnni => MaxRows,
        (CodeForm.Bytes, _, 4) => ByteKernelAvx2.MaxPackedRows,
        (CodeForm.Words, CpuLevel.Avx512, 8) => MaxRows,
        _ => 0,
    };

    /// <summary>How many panels one token can meet at once by <see cref="RunStreams"/>; 1 when there is no such kernel.</summary>
    public int Streams => _level == CpuLevel.Avx512 && !_vnni && !_grouped ? StreamKernelAvx512.Panels : 1;

    /// <summary>The best kernel for <paramref name="weight"/>. Second-level scales make 8-bit numbers of 4-bit codes when they are unpacked.</summary>
    public static CodeKernel For(QuantizedWeight weight, CpuTarget target)
    {
        var grouped = weight.HasGroupScales;
        return new CodeKernel(target.Level, target.UsesVnni && target.Level >= CpuLevel.Avx2, grouped ? 8 : weight.Scheme.WeightBits, grouped);
    }

    /// <summary>Bytes of an unpacked panel.</summary>
    public long PanelBytes(int inputs) => (long)PackingLayout.PanelOutputs * inputs * (Form == CodeForm.Bytes ? 1 : 2);

    /// <summary>Unpacks a stored panel of <paramref name="inputs"/> inputs.</summary>
    /// <param name="source">The panel.</param>
    /// <param name="groupScales">Its second-level scales, [K/128, 16], where the weight has them.</param>
    /// <param name="inputs">K.</param>
    /// <param name="target">Receives <see cref="PanelBytes"/>.</param>
    public void Unpack(byte* source, byte* groupScales, int inputs, byte* target)
    {
        switch (Form, _weightBits)
        {
            case (CodeForm.Bytes, _) when _grouped:
                ScaledPanels.ToBytes(source, groupScales, inputs, target);
                break;
            case (_, _) when _grouped:
                ScaledPanels.ToWords(source, groupScales, inputs, (short*)target);
                break;
            case (CodeForm.Bytes, 4):
                CodePanels.NibblesToBytes(source, inputs, target);
                break;
            case (CodeForm.Bytes, _):
                CodePanels.BytesToUnsigned(source, inputs, target);
                break;
            case (_, 4):
                CodePanels.NibblesToWords(source, inputs, (short*)target);
                break;
            default:
                CodePanels.BytesToWords(source, inputs, (short*)target);
                break;
        }
    }

    /// <summary>sums[rows, 16] = tokens · unpacked panel; <paramref name="tokens"/> is a block of <see cref="PackedTokens"/>.</summary>
    public void Run(int rows, byte* tokens, byte* weights, int inputs, int* sums)
    {
        nint steps = inputs / PackingLayout.RunInputs;
        switch (Form, _level)
        {
            case (_, CpuLevel.Neon):
                ByteKernelNeon.Run(rows, (int*)tokens, weights, _weightBits == 8 ? (byte)0x80 : (byte)0, sums, steps);
                break;
            case (CodeForm.Bytes, CpuLevel.Avx512) when !_vnni:
                ByteKernelAvx512.Run(rows, (int*)tokens, weights, sums, steps);
                break;
            case (CodeForm.Bytes, _):
                ByteKernelAvx2.Run(_vnni, rows, (int*)tokens, weights, sums, steps);
                break;
            case (_, CpuLevel.Avx512):
                WordKernelAvx512.Run(rows, (long*)tokens, weights, stored: false, sums, steps);
                break;
            case (_, CpuLevel.Avx2):
                WordKernelAvx2.Run(rows, (long*)tokens, (short*)weights, sums, steps);
                break;
            default:
                WordKernelPortable.Run((short*)tokens, (short*)weights, sums, steps);
                break;
        }
    }

    /// <summary>sums[rows, 16] = tokens · panel as it is stored, for at most <see cref="MaxPackedRows"/> tokens.</summary>
    public void RunPacked(int rows, byte* tokens, byte* weights, int inputs, int* sums)
    {
        nint steps = inputs / PackingLayout.RunInputs;
        if (_level == CpuLevel.Neon && _weightBits == 8)
        {
            ByteKernelNeon.Run(rows, (int*)tokens, weights, sign: 0, sums, steps);
        }
        else if (_level == CpuLevel.Neon)
        {
            ByteKernelNeon.RunPacked(rows, (int*)tokens, weights, sums, steps);
        }
        else if (Form == CodeForm.Words)
        {
            WordKernelAvx512.Run(rows, (long*)tokens, weights, stored: true, sums, steps);
        }
        else if (_level == CpuLevel.Avx512 && !_vnni)
        {
            ByteKernelAvx512.RunPacked(rows, (int*)tokens, weights, sums, steps);
        }
        else
        {
            ByteKernelAvx2.RunPacked(_vnni, rows, (int*)tokens, weights, sums, steps);
        }
    }

    /// <summary>sums[streams, 16] = one token · panels as they are stored, <paramref name="panelBytes"/> apart.</summary>
    public void RunStreams(byte* token, byte* weights, long panelBytes, int inputs, int* sums)
    {
        nint steps = inputs / PackingLayout.RunInputs;
        if (Form == CodeForm.Words)
        {
            StreamKernelAvx512.RunBytes((long*)token, weights, (nint)panelBytes, sums, steps);
        }
        else
        {
            StreamKernelAvx512.RunNibbles((int*)token, weights, (nint)panelBytes, sums, steps);
        }
    }
}
