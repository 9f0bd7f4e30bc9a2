using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>A right operand packed once, [N/32, K, 32], in FP32 or in BF16.</summary>
internal sealed unsafe class StoredPanels : PanelSource
{
    private readonly int _inputs;
    private readonly AlignedBuffer<float>? _floats;
    private readonly AlignedBuffer<ushort>? _halves;

    private StoredPanels(int inputs, AlignedBuffer<float>? floats, AlignedBuffer<ushort>? halves)
    {
        _inputs = inputs;
        _floats = floats;
        _halves = halves;
    }

    /// <inheritdoc/>
    public override bool IsBFloat16 => _halves is not null;

    /// <summary>Packs W[N, K], row-major.</summary>
    public static StoredPanels FromFloats(float* weight, int outputs, int inputs)
    {
        var panels = (outputs + PanelOutputs - 1) / PanelOutputs;
        var target = new AlignedBuffer<float>((long)panels * inputs * PanelOutputs);
        Workers.For(panels, panel => FloatPacking.Pack(
            weight + ((nint)panel * PanelOutputs * inputs), inputs, 1, Math.Min(PanelOutputs, outputs - (panel * PanelOutputs)), inputs,
            target.Pointer + ((nint)panel * inputs * PanelOutputs), PanelOutputs));
        return new StoredPanels(inputs, target, null);
    }

    /// <summary>Packs W[N, K], row-major BF16.</summary>
    public static StoredPanels FromBFloat16(ushort* weight, int outputs, int inputs)
    {
        var panels = (outputs + PanelOutputs - 1) / PanelOutputs;
        var target = new AlignedBuffer<ushort>((long)panels * inputs * PanelOutputs);
        PackHalves(weight, 0, outputs, inputs, target);
        return new StoredPanels(inputs, null, target);
    }

    /// <summary>Packs W[N, K], row-major BF16 in pieces, each but the last of whole panels.</summary>
    public static StoredPanels FromBFloat16(TensorRows weight, int outputs, int inputs)
    {
        var panels = (outputs + PanelOutputs - 1) / PanelOutputs;
        var target = new AlignedBuffer<ushort>((long)panels * inputs * PanelOutputs);
        foreach (var (piece, rows) in weight.Pieces.Index())
        {
            fixed (byte* values = rows.Span)
            {
                PackHalves((ushort*)values, piece * weight.RowsPerPiece, rows.Length / weight.RowBytes, inputs, target);
            }
        }

        return new StoredPanels(inputs, null, target);
    }

    /// <inheritdoc/>
    public override byte* Stored(int panel, int outputs, int depthStart, out nint strideBytes)
    {
        var offset = (((nint)panel * _inputs) + depthStart) * PanelOutputs;
        strideBytes = PanelOutputs * (_halves is null ? sizeof(float) : sizeof(ushort));
        return _halves is null ? (byte*)(_floats!.Pointer + offset) : (byte*)(_halves.Pointer + offset);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Fill(int panel, int outputs, int depthStart, int depth, float* target)
    {
        var stored = Stored(panel, outputs, depthStart, out _);
        var count = depth * PanelOutputs;
        if (!IsBFloat16)
        {
            new ReadOnlySpan<float>(stored, count).CopyTo(new Span<float>(target, count));
            return;
        }

        var source = (ushort*)stored;
        for (var i = 0; i < count; i += 16)
        {
            var (low, high) = Vector256.Widen(Vector256.Load(source + i));
            Vector256.ShiftLeft(low, 16).AsSingle().Store(target + i);
            Vector256.ShiftLeft(high, 16).AsSingle().Store(target + i + 8);
        }
    }

    private static void PackHalves(ushort* weight, int first, int outputs, int inputs, AlignedBuffer<ushort> target)
    {
        var start = target.Pointer + ((nint)first * inputs);
        Workers.For((outputs + PanelOutputs - 1) / PanelOutputs, panel => PackHalves(
            weight + ((nint)panel * PanelOutputs * inputs), Math.Min(PanelOutputs, outputs - (panel * PanelOutputs)), inputs,
            start + ((nint)panel * inputs * PanelOutputs)));
    }

    private static void PackHalves(ushort* weight, int outputs, int inputs, ushort* target)
    {
        var packed = outputs == PanelOutputs ? HalfPacking.Pack(weight, inputs, target) : 0;
        if (outputs < PanelOutputs)
        {
            new Span<ushort>(target, inputs * PanelOutputs).Clear();
        }

        target += packed * PanelOutputs;
        for (var k = packed; k < inputs; k++)
        {
            for (var n = 0; n < outputs; n++)
            {
                target[n] = weight[((nint)n * inputs) + k];
            }

            target += PanelOutputs;
        }
    }
}
