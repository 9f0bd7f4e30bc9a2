namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The right operand of a <see cref="FloatProduct"/>, B[K, N], read in panels of 32 outputs.</summary>
internal abstract unsafe class PanelSource
{
    /// <summary>Outputs per panel.</summary>
    public const int PanelOutputs = 32;

    /// <summary>Whether <see cref="Stored"/> holds panels of BF16 that the kernels widen while they read.</summary>
    public virtual bool IsBFloat16 => false;

    /// <summary>The panel where it lies in memory, for a product that reads it once; null when it must be made by <see cref="Fill"/>.</summary>
    /// <param name="panel">Its number.</param>
    /// <param name="outputs">How many of its outputs exist.</param>
    /// <param name="depthStart">The first input.</param>
    /// <param name="strideBytes">From input to input.</param>
    public virtual byte* Stored(int panel, int outputs, int depthStart, out nint strideBytes)
    {
        strideBytes = 0;
        return null;
    }

    /// <summary>Writes <paramref name="depth"/> inputs of a panel as FP32, [depth, 32]; outputs that do not exist become 0.</summary>
    public abstract void Fill(int panel, int outputs, int depthStart, int depth, float* target);
}
