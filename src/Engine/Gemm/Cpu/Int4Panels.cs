using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>A W4A16 weight, turned into FP32 panel by panel: (code − zero point) · scale, one rounding.</summary>
internal sealed unsafe class Int4Panels : PanelSource
{
    private const int Half = PackingLayout.PanelOutputs;

    [ThreadStatic]
    private static Int4Panels? _current;

    private byte* _codes;
    private float* _scales;
    private byte* _zeroPoints;
    private int _inputs;

    /// <summary>The calling thread's source.</summary>
    public static Int4Panels Current => _current ??= new Int4Panels();

    /// <summary>Points at the parts of a <see cref="QuantizedWeight"/>.</summary>
    public Int4Panels At(byte* codes, float* scales, byte* zeroPoints, int inputs)
    {
        _codes = codes;
        _scales = scales;
        _zeroPoints = zeroPoints;
        _inputs = inputs;
        return this;
    }

    /// <inheritdoc/>
    public override void Fill(int panel, int outputs, int depthStart, int depth, float* target)
    {
        if (outputs < PanelOutputs)
        {
            new Span<float>(target, depth * PanelOutputs).Clear();
        }

        for (var half = 0; half * Half < outputs; half++)
        {
            for (var k = 0; k < depth; k += PackingLayout.GroupSize)
            {
                FillGroup((2 * panel) + half, depthStart + k, target + (k * PanelOutputs) + (half * Half));
            }
        }
    }

    /// <summary>128 inputs of 16 outputs. As 32-bit numbers, the 64 bytes of a step hold input j of every output in bits 8j … 8j + 3 and input j + 4 four bits above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FillGroup(int panel, int depthStart, float* target)
    {
        var scales = stackalloc float[Half];
        var zeroPoints = stackalloc int[Half];
        var groups = _inputs / PackingLayout.GroupSize;
        for (var n = 0; n < Half; n++)
        {
            var group = (((nint)panel * Half) + n) * groups + (depthStart / PackingLayout.GroupSize);
            scales[n] = _scales[group];
            zeroPoints[n] = _zeroPoints[group];
        }

        var scale = Vector512.Load(scales);
        var zeroPoint = Vector512.Load(zeroPoints);
        var mask = Vector512.Create(0xF);
        var source = _codes + (((nint)panel * _inputs) + depthStart) * (Half / 2);
        for (var k = 0; k < PackingLayout.GroupSize; k += 2 * PackingLayout.RunInputs)
        {
            var step = Vector512.Load((int*)source);
            for (var j = 0; j < 2 * PackingLayout.RunInputs; j++)
            {
                var shift = (8 * (j % PackingLayout.RunInputs)) + (4 * (j / PackingLayout.RunInputs));
                var code = Vector512.ShiftRightLogical(step, shift) & mask;
                (Vector512.ConvertToSingle(code - zeroPoint) * scale).Store(target);
                target += PanelOutputs;
            }

            source += 4 * Half;
        }
    }
}
