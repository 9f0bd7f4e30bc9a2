using System.Runtime.InteropServices;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The AVX512-VNNI kernel for <see cref="CodeForm.Bytes"/>, machine code (Kernels/vnni512.c): up to 14 tokens × 2 panels of 16 outputs, or 6 × 4.</summary>
internal static unsafe class ByteKernelVnni512
{
    /// <summary>The most tokens of a call.</summary>
    public const int MaxRows = 14;

    /// <summary>The most tokens of a call for <see cref="MostPanels"/> panels.</summary>
    public const int WideRows = 6;

    /// <summary>The most panels of a call.</summary>
    public const int MostPanels = 4;

    // What is read from memory is asked for so many steps ahead, across the ends of panels and calls. Half and double were slower on Zen 5.
    private const int PrefetchSteps = 64;

    /// <summary>sums[panels, rows, 16] = Σ over <paramref name="steps"/> runs of 4 inputs of tokens [steps, rows, 4] and panels.</summary>
    /// <param name="code">The kernel.</param>
    /// <param name="rows">At most <see cref="MaxRows"/>.</param>
    /// <param name="panels">At most <see cref="MostPanels"/>, with more than <see cref="WideRows"/> tokens at most 2.</param>
    /// <param name="tokens">[steps, rows, 4].</param>
    /// <param name="weights">The first panel.</param>
    /// <param name="panelBytes">From panel to panel.</param>
    /// <param name="form">What panels are made of.</param>
    /// <param name="sums">The result.</param>
    /// <param name="steps">K / 4.</param>
    public static void Run(delegate* unmanaged<void*, void> code, int rows, int panels, byte* tokens, byte* weights, long panelBytes, ByteForm form, int* sums, nint steps)
    {
        var call = new Call
        {
            Tokens = tokens,
            Weights = weights,
            PanelBytes = panelBytes,
            Ahead = form switch { ByteForm.Nibbles => PrefetchSteps * 32, ByteForm.Signed => PrefetchSteps * 64, _ => 0 },
            Sums = sums,
            Steps = (int)steps,
            Rows = rows,
            Panels = panels,
            Nibbles = form == ByteForm.Nibbles ? 1 : 0,
            Mask = form switch { ByteForm.Nibbles => 0x0F0F_0F0F, ByteForm.Signed => 0x8080_8080, _ => 0 },
        };
        code(&call);
    }

    /// <summary>As the kernel's source has it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Call
    {
        public byte* Tokens;
        public byte* Weights;
        public long PanelBytes;
        public long Ahead;
        public int* Sums;
        public int Steps;
        public int Rows;
        public int Panels;
        public int Nibbles;
        public uint Mask;
    }
}
