using System.Runtime.InteropServices;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The AVX512-VNNI kernel for <see cref="CodeForm.Bytes"/>, machine code (Kernels/vnni512.c): up to 14 tokens × 2 panels of 16 outputs as they are stored, or few tokens × 4.</summary>
internal static unsafe class ByteKernelVnni512
{
    /// <summary>The most panels of a call.</summary>
    public const int MostPanels = 4;

    // What is read from memory is asked for so many steps ahead, across the ends of panels and calls. Half and double were slower on Zen 5. Whole groups.
    private const int PrefetchSteps = 64;

    /// <summary>The most tokens of a call. Second-level scales take registers.</summary>
    public static int MaxRows(bool grouped) => grouped ? 12 : 14;

    /// <summary>The most tokens of a call for <see cref="MostPanels"/> panels; more take 2.</summary>
    public static int WideRows(bool grouped) => grouped ? 4 : 6;

    /// <summary>sums[panels, rows, 16] = Σ over <paramref name="steps"/> runs of 4 inputs of tokens [steps, rows, 4] and panels. 8-bit codes are multiplied with 128 added, 4-bit ones with 8, or times their scale with 128.</summary>
    /// <param name="code">The kernel.</param>
    /// <param name="rows">At most <see cref="MaxRows"/>.</param>
    /// <param name="panels">At most <see cref="MostPanels"/>, with more than <see cref="WideRows"/> tokens at most 2.</param>
    /// <param name="tokens">[steps, rows, 4].</param>
    /// <param name="weights">The first panel.</param>
    /// <param name="panelBytes">From panel to panel.</param>
    /// <param name="nibbles">Whether codes have 4 bits.</param>
    /// <param name="scales">Second-level scales of the first panel, [K/128, 16]; null: none.</param>
    /// <param name="sums">The result.</param>
    /// <param name="steps">K / 4.</param>
    public static void Run(delegate* unmanaged<void*, void> code, int rows, int panels, byte* tokens, byte* weights, long panelBytes, bool nibbles, byte* scales, int* sums, nint steps)
    {
        var call = new Call
        {
            Tokens = tokens,
            Weights = weights,
            PanelBytes = panelBytes,
            Ahead = PrefetchSteps * (nibbles ? 32 : 64),
            Sums = sums,
            Scales = scales,
            ScaleBytes = steps / 32 * 16,
            Steps = (int)steps,
            Rows = rows,
            Panels = panels,
            Nibbles = nibbles ? 1 : 0,
            Mask = nibbles ? 0x0F0F_0F0F : 0x8080_8080,
            Eight = 0x0808_0808,
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
        public byte* Scales;
        public long ScaleBytes;
        public int Steps;
        public int Rows;
        public int Panels;
        public int Nibbles;
        public uint Mask;
        public uint Eight;
    }
}
