using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The integer kernel for one width of weights on the machine at hand: which numbers it multiplies, how many tokens at once, and how stored panels become its weights.</summary>
internal readonly unsafe struct CodeKernel
{
    private readonly CpuLevel _level;
    private readonly bool _vnni;
    private readonly int _weightBits;
    private readonly bool _grouped;
    private readonly MachineCode? _code;

    private CodeKernel(CpuLevel level, bool vnni, int weightBits, bool grouped, MachineCode? code)
    {
        (_level, _vnni, _weightBits, _grouped, _code) = (level, vnni, weightBits, grouped, code);
        Form = level switch
        {
            CpuLevel.Amx => CodeForm.Tiles,
            CpuLevel.Vnni512 or CpuLevel.Neon => CodeForm.Bytes,
            CpuLevel.Portable => CodeForm.Words,
            _ => weightBits == 8 && !vnni ? CodeForm.Words : CodeForm.Bytes,
        };
    }

    /// <summary>The numbers that it multiplies.</summary>
    public CodeForm Form { get; }

    /// <summary>What was added to every weight: Σ code · (weight + offset) − offset · Σ code is the product.</summary>
    public int Offset => Form == CodeForm.Words ? 0 : _weightBits == 4 ? PackingLayout.Int4Offset : _level is CpuLevel.Neon or CpuLevel.Amx ? 0 : 128;

    /// <summary>The most tokens of one call, or of a block of it.</summary>
    public int MaxRows => (Form, _level, _vnni) switch
    {
        (CodeForm.Tiles, _, _) => TileKernelAmx.BlockRows,
        (_, CpuLevel.Vnni512, _) => ByteKernelVnni512.MaxRows(_grouped),
        (_, CpuLevel.Neon, _) => ByteKernelNeon.MaxRows,
        (CodeForm.Bytes, CpuLevel.Avx512, false) => ByteKernelAvx512.MaxRows,
        (CodeForm.Bytes, _, _) => ByteKernelAvx2.MaxRows(_vnni),
        (_, CpuLevel.Avx512, _) => WordKernelAvx512.MaxRows,
        (_, CpuLevel.Avx2, _) => WordKernelAvx2.MaxRows,
        _ => WordKernelPortable.MaxRows,
    };

    /// <summary>The most tokens for which reading a panel as it is stored is better than unpacking it first; 0 when there is no such kernel.</summary>
    public int MaxPackedTokens => (Form, _level, _weightBits) switch
    {
        (_, CpuLevel.Vnni512, _) => int.MaxValue,
        _ when _grouped => 0,
        (_, CpuLevel.Neon, _) => MaxRows,
        (CodeForm.Bytes, CpuLevel.Avx512, 4) when !_vnni => MaxRows,
        (CodeForm.Bytes, _, 4) => ByteKernelAvx2.MaxPackedRows,
        (CodeForm.Words, CpuLevel.Avx512, 8) => MaxRows,
        _ => 0,
    };

    /// <summary>The best kernel for <paramref name="weight"/>. Second-level scales make 8-bit numbers of 4-bit codes when they are unpacked, or multiplied.</summary>
    public static CodeKernel For(QuantizedWeight weight, CpuTarget target, int tokens)
    {
        // For few tokens tiles are mostly empty, and unpacking for them costs more than the products.
        var grouped = weight.HasGroupScales;
        var level = target.Level == CpuLevel.Amx && tokens <= ByteKernelVnni512.WideRows(grouped) ? CpuLevel.Vnni512 : target.Level;
        return new CodeKernel(level, target.UsesVnni && level is CpuLevel.Avx2 or CpuLevel.Avx512, grouped ? 8 : weight.Scheme.WeightBits, grouped, level >= CpuLevel.Vnni512 ? target.Code ?? MachineCode.OfProcess : null);
    }

    /// <summary>A multiple of panels that calls take whole.</summary>
    public int PanelUnit => _level >= CpuLevel.Vnni512 ? 2 : 1;

    /// <summary>How many panels a call takes at once, of <paramref name="left"/> that there are.</summary>
    /// <param name="rows">The most tokens of a call.</param>
    /// <param name="packed">Whether panels are read as they are stored, by <see cref="RunPacked"/>.</param>
    /// <param name="left">At least 1.</param>
    public int Panels(int rows, bool packed, int left) => _level switch
    {
        CpuLevel.Vnni512 => Math.Min(left, rows <= ByteKernelVnni512.WideRows(_grouped) ? ByteKernelVnni512.MostPanels : 2),
        CpuLevel.Avx512 when packed && rows == 1 && !_vnni && left >= StreamKernelAvx512.Panels => StreamKernelAvx512.Panels,
        _ => 1,
    };

    /// <summary>Bytes of an unpacked panel.</summary>
    public long PanelBytes(int inputs) => (long)PackingLayout.PanelOutputs * inputs * (Form == CodeForm.Words ? 2 : 1);

    /// <summary>Unpacks a stored panel of <paramref name="inputs"/> inputs.</summary>
    /// <param name="source">The panel.</param>
    /// <param name="groupScales">Its second-level scales, [K/128, 16], where the weight has them.</param>
    /// <param name="inputs">K.</param>
    /// <param name="target">Receives <see cref="PanelBytes"/>.</param>
    public void Unpack(byte* source, byte* groupScales, int inputs, byte* target)
    {
        switch (Form, _weightBits)
        {
            case (CodeForm.Bytes or CodeForm.Tiles, _) when _grouped:
                ScaledPanels.ToBytes(source, groupScales, inputs, target, Form == CodeForm.Tiles ? (short)0 : (short)128);
                break;
            case (_, _) when _grouped:
                ScaledPanels.ToWords(source, groupScales, inputs, (short*)target);
                break;
            case (CodeForm.Bytes or CodeForm.Tiles, 4):
                CodePanels.NibblesToBytes(source, inputs, target);
                break;
            case (CodeForm.Tiles, _):
                Buffer.MemoryCopy(source, target, PanelBytes(inputs), PanelBytes(inputs));
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

    /// <summary>sums[panels, rows, 16] = tokens · panels as they are stored, <paramref name="panelBytes"/> apart. Of tokens there are at most <see cref="MaxRows"/>.</summary>
    public void RunPacked(int rows, int panels, byte* tokens, byte* weights, long panelBytes, byte* groupScales, int inputs, int* sums)
    {
        nint steps = inputs / PackingLayout.RunInputs;
        switch (Form, _level)
        {
            case (_, CpuLevel.Vnni512):
                ByteKernelVnni512.Run(_code!.Vnni512, rows, panels, tokens, weights, panelBytes, _grouped || _weightBits == 4, _grouped ? groupScales : null, sums, steps);
                break;
            case (_, CpuLevel.Neon) when _weightBits == 8:
                ByteKernelNeon.Run(rows, (int*)tokens, weights, sign: 0, sums, steps);
                break;
            case (_, CpuLevel.Neon):
                ByteKernelNeon.RunPacked(rows, (int*)tokens, weights, sums, steps);
                break;
            case (CodeForm.Words, _) when panels > 1:
                StreamKernelAvx512.RunBytes((long*)tokens, weights, (nint)panelBytes, sums, steps);
                break;
            case (_, _) when panels > 1:
                StreamKernelAvx512.RunNibbles((int*)tokens, weights, (nint)panelBytes, sums, steps);
                break;
            case (CodeForm.Words, _):
                WordKernelAvx512.Run(rows, (long*)tokens, weights, stored: true, sums, steps);
                break;
            case (_, CpuLevel.Avx512) when !_vnni:
                ByteKernelAvx512.RunPacked(rows, (int*)tokens, weights, sums, steps);
                break;
            default:
                ByteKernelAvx2.RunPacked(_vnni, rows, (int*)tokens, weights, sums, steps);
                break;
        }
    }

    /// <summary>sums[blocks, 2, 16, 16] = or += tiles of tokens · weights of one or two panels, <paramref name="inputs"/> of them rounded up to whole tiles.</summary>
    public void RunTiles(int blocks, byte* tokens, long blockBytes, int panels, byte* weights, long panelBytes, int inputs, int* sums, bool add)
        => TileKernelAmx.Run(_code!.Amx, blocks, tokens, blockBytes, weights, panels == 1 ? 0 : panelBytes, sums, (inputs + TileKernelAmx.TileInputs - 1) / TileKernelAmx.TileInputs, add);
}
