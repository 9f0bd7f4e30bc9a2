using System.Runtime.Intrinsics;
using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Syntax;
using Table = System.Collections.Generic.Dictionary<string, System.Func<MASQuant.Ptx.Syntax.Operands, MASQuant.Ptx.Syntax.Instruction>>;

namespace MASQuant.Ptx.Instructions;

/// <summary><c>wgmma</c> with A in registers: each of the four warps multiplies its own 16 rows by a tile of B in shared memory, whose columns are rows of 128 swizzled bytes. Fragments are those of <see cref="MatrixMultiply"/>.</summary>
internal static unsafe class WarpgroupMultiply
{
    private const int Rows = 16;
    private const int Depth = 32;
    private const int HalfDepth = Depth / 2;
    private const int RowBytes = 128;
    private const ulong Swizzle128 = 1;
    private const ulong EightRows = 8 * RowBytes;

    public static void AddTo(Table table)
    {
        table["wgmma.mma_async.sync.m64n256k32.s32.s8.s8"] = Decode;
        table["wgmma.fence.sync"] = _ => WarpWide((Warp warp, in Instruction i, uint mask) => warp.Products.Fence());
        table["wgmma.commit_group.sync"] = _ => WarpWide((Warp warp, in Instruction i, uint mask) => warp.Products.Commit());
        table["wgmma.wait_group.sync"] = o => WarpWide((Warp warp, in Instruction i, uint mask) => warp.Products.Wait(i.Size), o.Integer(0));
    }

    /// <summary>Whether the instruction starts a product.</summary>
    public static bool IsProduct(in Instruction i) => i.Handler == Start;

    /// <summary>D += A · B for one warp; <paramref name="a"/> holds four registers of 32 lanes.</summary>
    public static void Run(Warp warp, ReadOnlySpan<int> sums, uint[] a, ulong descriptor)
    {
        var start = (descriptor & 0x3FFF) << 4;
        if (descriptor >> 62 != Swizzle128 || ((descriptor >> 32) & 0x3FFF) << 4 != EightRows || start % EightRows >= RowBytes)
        {
            throw new PtxException(PtxFault.Unknown, $"matrix descriptor 0x{descriptor:x}");
        }

        var rows = stackalloc short[Rows * Depth];
        for (var register = 0; register < 4; register++)
        {
            for (var lane = 0; lane < Warp.Lanes; lane++)
            {
                var row = (lane >> 2) + ((register & 1) * 8);
                for (var e = 0; e < 4; e++)
                {
                    rows[(row * Depth) + ((register >> 1) * 16) + ((lane & 3) * 4) + e] = (sbyte)(a[(register * Warp.Lanes) + lane] >> (8 * e));
                }
            }
        }

        for (var n = 0; n < sums.Length * 2; n++)
        {
            var address = start + ((ulong)n * RowBytes);
            Accumulate(warp, sums, rows, Inputs(warp, address), Inputs(warp, address + HalfDepth), n);
        }
    }

    /// <summary>16 inputs of a column, where the swizzle has put them.</summary>
    private static Vector256<short> Inputs(Warp warp, ulong address)
        => Vector256.WidenLower(Vector128.Load((sbyte*)warp.Block.Shared.Read(warp, 0, address ^ ((address >> 3) & 0x70), HalfDepth)).ToVector256());

    private static void Accumulate(Warp warp, ReadOnlySpan<int> sums, short* rows, Vector256<short> low, Vector256<short> high, int n)
    {
        for (var half = 0; half < 2; half++)
        {
            // Column n is register pair n / 8, lane t = n % 8 / 2; rows from 8 on are two registers further.
            var sum = warp.WriteWord(sums[(n / 8 * 4) + (half * 2) + (n & 1)], 0) + (n % 8 / 2);
            for (var row = 0; row < Rows / 2; row++)
            {
                var line = rows + (((half * Rows / 2) + row) * Depth);
                sum[row * 4] += (uint)(MatrixMultiply.Dot(Vector256.Load(line), low) + MatrixMultiply.Dot(Vector256.Load(line + HalfDepth), high));
            }
        }
    }

    private static Instruction Decode(Operands o)
    {
        int[] registers = [.. o.Vector(0, RegisterKind.Word), .. o.Vector(1, RegisterKind.Word)];
        if (registers.Length != 128 + 4 || o.Count != 4 || o[3] != "1")
        {
            throw new PtxException(PtxFault.Unknown, "wgmma operands");
        }

        return new Instruction { Flow = Flow.WarpWide, Handler = Start, List = registers, B = o.Long(2) };
    }

    private static void Start(Warp warp, in Instruction i, uint mask)
    {
        var descriptors = warp.ReadLong(i.B, mask);
        for (var lane = 1; lane < Warp.Lanes; lane++)
        {
            if (descriptors[lane] != descriptors[0])
            {
                throw new PtxException(PtxFault.DivergentWarp, "the lanes name different matrix descriptors");
            }
        }

        warp.Products.Start(in i, descriptors[0]);
    }

    private static Instruction WarpWide(Handler handler, int size = 0) => new() { Flow = Flow.WarpWide, Handler = handler, Size = size };
}
