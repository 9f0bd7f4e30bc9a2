using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The AMX kernel for <see cref="CodeForm.Tiles"/>, machine code (Kernels/amx.c): blocks of 16 tokens × 2 panels of 16 outputs, two blocks at a time.</summary>
internal static unsafe partial class TileKernelAmx
{
    /// <summary>Tokens of a block: the rows of a tile. Absent ones are zeros.</summary>
    public const int BlockRows = 16;

    /// <summary>Inputs of a tile. Absent ones are zeros in the tokens, and anything in the weights.</summary>
    public const int TileInputs = 64;

    /// <summary>Bytes of a tile.</summary>
    public const int TileBytes = BlockRows * TileInputs;

    /// <summary>Panels of a call.</summary>
    public const int Panels = 2;

    /// <summary>Inputs of a call: two panels of so many lie in the first-level cache.</summary>
    public const int CallInputs = 512;

    /// <summary>Numbers of a call's sums of a block.</summary>
    public const int BlockSums = Panels * BlockRows * PackingLayout.PanelOutputs;

    private const int RequestPermission = 0x1023; // ARCH_REQ_XCOMP_PERM
    private const int TileData = 18;
    private const long ArchPrctl = 158;

    /// <summary>Asks the system, once for the process, for the state that tiles take; without that the first tile instruction would end it.</summary>
    public static bool IsPermitted { get; } = OperatingSystem.IsLinux() && SystemCall(ArchPrctl, RequestPermission, TileData) == 0;

    /// <summary>sums[blocks, 2, 16, 16] = or += Σ over <paramref name="steps"/> tiles of signed tokens and signed weights.</summary>
    /// <param name="code">The kernel.</param>
    /// <param name="blocks">How many blocks of tokens.</param>
    /// <param name="tokens">The first block, [steps, 16, 64].</param>
    /// <param name="blockBytes">From block to block.</param>
    /// <param name="weights">The first panel, [steps, 16, 64], where 64 bytes are 4 inputs of 16 outputs.</param>
    /// <param name="panelBytes">From panel to panel; 0 where there is one only, and the second's sums count nothing.</param>
    /// <param name="sums">The result.</param>
    /// <param name="steps">At least 1.</param>
    /// <param name="add">Whether to add to what <paramref name="sums"/> holds.</param>
    public static void Run(delegate* unmanaged<void*, void> code, int blocks, byte* tokens, long blockBytes, byte* weights, long panelBytes, int* sums, int steps, bool add)
    {
        var call = new Call { Tokens = tokens, Weights = weights, BlockBytes = blockBytes, PanelBytes = panelBytes, Sums = sums, Steps = steps, Blocks = blocks, Add = add ? 1 : 0 };
        call.Palette[0] = 1;
        for (var tile = 0; tile < 8; tile++)
        {
            call.RowBytes[tile] = TileInputs;
            call.Rows[tile] = BlockRows;
        }

        code(&call);
    }

    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial long SystemCall(long number, long first, long second);

    /// <summary>As the kernel's source has it; the last 64 bytes are what <c>ldtilecfg</c> reads.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Call
    {
        public byte* Tokens;
        public byte* Weights;
        public long BlockBytes;
        public long PanelBytes;
        public int* Sums;
        public int Steps;
        public int Blocks;
        public int Add;
        public int Unused;
        public fixed byte Palette[16];
        public fixed ushort RowBytes[16];
        public fixed byte Rows[16];
    }
}
