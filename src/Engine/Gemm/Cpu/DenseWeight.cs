using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>A full-precision weight W[N, K] packed once for <see cref="FloatGemm"/>. What was BF16 stays BF16 in memory and is widened, exactly, while it is read.</summary>
public sealed unsafe class DenseWeight
{
    private DenseWeight(int outputs, int inputs, PanelSource panels)
    {
        Outputs = outputs;
        Inputs = inputs;
        Panels = panels;
    }

    /// <summary>N, the number of output features.</summary>
    public int Outputs { get; }

    /// <summary>K, the number of input features.</summary>
    public int Inputs { get; }

    internal PanelSource Panels { get; }

    /// <summary>Packs FP32 values, [N, K]; <paramref name="weight"/> is not kept.</summary>
    public static DenseWeight FromFloats(Matrix weight)
    {
        fixed (float* values = weight.Data)
        {
            return new DenseWeight(weight.Rows, weight.Columns, StoredPanels.FromFloats(values, weight.Rows, weight.Columns));
        }
    }

    /// <summary>Packs little-endian BF16 values, row-major [N, K]; <paramref name="weight"/> is not kept.</summary>
    /// <exception cref="ArgumentException">There are fewer than N × K values.</exception>
    public static DenseWeight FromBFloat16(ReadOnlySpan<byte> weight, int outputs, int inputs)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(outputs);
        ArgumentOutOfRangeException.ThrowIfNegative(inputs);
        if (weight.Length < (long)outputs * inputs * sizeof(ushort))
        {
            throw new ArgumentException($"A BF16 weight [{outputs}, {inputs}] needs {(long)outputs * inputs * sizeof(ushort)} bytes, not {weight.Length}.", nameof(weight));
        }

        fixed (byte* values = weight)
        {
            return new DenseWeight(outputs, inputs, StoredPanels.FromBFloat16((ushort*)values, outputs, inputs));
        }
    }

    /// <summary>Packs the rows of a BF16 weight [N, K] of any size; <paramref name="weight"/> is not kept.</summary>
    public static DenseWeight FromBFloat16(TensorRows weight, int outputs, int inputs) => new(outputs, inputs, StoredPanels.FromBFloat16(weight, outputs, inputs));

    /// <summary>The values, [N, K].</summary>
    internal Matrix ToMatrix()
    {
        var values = new Matrix(Outputs, Inputs);
        var panel = LargeArray.Zeros<float>(PanelSource.PanelOutputs * Inputs);
        fixed (float* target = panel)
        {
            for (var n = 0; n < Outputs; n++)
            {
                var lane = n % PanelSource.PanelOutputs;
                if (lane == 0)
                {
                    Panels.Fill(n / PanelSource.PanelOutputs, Math.Min(PanelSource.PanelOutputs, Outputs - n), 0, Inputs, target);
                }

                for (var k = 0; k < Inputs; k++)
                {
                    values[n, k] = target[(k * PanelSource.PanelOutputs) + lane];
                }
            }
        }

        return values;
    }
}
