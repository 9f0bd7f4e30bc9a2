using MASQuant.Engine.Gemm;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Weights;

/// <summary>Q_w(s_b ⊙ W): a quantized weight before packing.</summary>
public sealed class WeightCodes
{
    /// <summary>How codes stand for values.</summary>
    public required QuantizationScheme Scheme { get; init; }

    /// <summary>N.</summary>
    public required int Outputs { get; init; }

    /// <summary>K.</summary>
    public required int Inputs { get; init; }

    /// <summary>[N, K]: symmetric codes, or 0 … 15 in W4A16.</summary>
    public required sbyte[] Codes { get; init; }

    /// <summary>[N], or [N, K/128] in W4A16.</summary>
    public required float[] Scales { get; init; }

    /// <summary>[N, K/128] in W4A16, else empty.</summary>
    public required byte[] ZeroPoints { get; init; }

    /// <summary>[N, K/128], second-level scales; empty for none.</summary>
    public byte[] GroupScales { get; init; } = [];

    /// <summary>The values that the codes stand for, [N, K].</summary>
    public Matrix Dequantize()
    {
        LargeBuffers.Reserve<float>((long)Outputs * Inputs);
        var values = new Matrix(Outputs, Inputs);
        var groupSize = WeightGrid.GroupSize(Scheme, Inputs);
        Workers.For(Outputs, n =>
        {
            for (var i = n * Inputs; i < (n + 1) * Inputs; i++)
            {
                values.Data[i] = Value(i, groupSize);
            }
        });
        return values;
    }

    /// <summary>Takes the values that the codes stand for from <paramref name="weight"/>, [N, K].</summary>
    public void SubtractFrom(Matrix weight)
    {
        var groupSize = WeightGrid.GroupSize(Scheme, Inputs);
        Workers.For(Outputs, n =>
        {
            for (var i = n * Inputs; i < (n + 1) * Inputs; i++)
            {
                weight.Data[i] -= Value(i, groupSize);
            }
        });
    }

    /// <summary>Packs for the runtime.</summary>
    /// <param name="bias">N values, or empty.</param>
    /// <param name="patches">Per modality; null for none.</param>
    public QuantizedWeight Pack(ReadOnlyMemory<float> bias = default, LowRankFactors?[]? patches = null) => new()
    {
        Scheme = Scheme,
        Outputs = Outputs,
        Inputs = Inputs,
        Codes = CodePacking.Pack(Codes, Outputs, Inputs, Scheme.WeightBits, unsigned: ZeroPoints.Length > 0),
        Scales = Scales,
        ZeroPoints = ZeroPoints,
        GroupScales = PackGroupScales(),
        Bias = bias,
        Patches = patches ?? new LowRankFactors?[ModalityMap.ModalityCount],
    };

    private byte[] PackGroupScales()
    {
        var packed = new byte[GroupScales.Length];
        for (var i = 0; i < packed.Length; i++)
        {
            var groups = Inputs / PackingLayout.GroupSize;
            packed[PackingLayout.GroupScaleIndex(i / groups, i % groups * PackingLayout.GroupSize, Inputs)] = GroupScales[i];
        }

        return packed;
    }

    private float Value(int i, int groupSize)
    {
        var group = i / groupSize;
        var code = Codes[i] - (ZeroPoints.Length > 0 ? ZeroPoints[group] : 0);
        return code * (GroupScales.Length > 0 ? GroupScales[i / PackingLayout.GroupSize] : 1) * Scales[group];
    }
}
