using System.Runtime.Intrinsics;
using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Syntax;
using Table = System.Collections.Generic.Dictionary<string, System.Func<MASQuant.Ptx.Syntax.Operands, MASQuant.Ptx.Syntax.Instruction>>;

namespace MASQuant.Ptx.Instructions;

/// <summary><c>mma.sync</c>: D[16, 8] = A[16, depth] · B[depth, 8] + C, the operands spread over the lanes. Lane 4g + t holds rows g and g + 8 of A, column g of B, and columns 2t and 2t + 1 of C.</summary>
internal static unsafe class MatrixMultiply
{
    private const int Rows = 16;
    private const int Columns = 8;

    public static void AddTo(Table table)
    {
        table["mma.sync.m16n8k32.row.col.s32.s8.s8.s32"] = o => Decode(o, (Warp warp, in Instruction i, uint mask) => MultiplyIntegers(warp, i, mask, bits: 8));
        table["mma.sync.m16n8k64.row.col.s32.s4.s4.s32"] = o => Decode(o, (Warp warp, in Instruction i, uint mask) => MultiplyIntegers(warp, i, mask, bits: 4));
        table["mma.sync.m16n8k16.row.col.f32.bf16.bf16.f32"] = o => Decode(o, MultiplyHalves);
    }

    private static Instruction Decode(Operands o, Handler handler)
    {
        int[] registers = [.. o.Vector(0, RegisterKind.Word), .. o.Vector(1, RegisterKind.Word), .. o.Vector(2, RegisterKind.Word), .. o.Vector(3, RegisterKind.Word)];
        return registers.Length == 14
            ? new Instruction { Flow = Flow.WarpWide, Handler = handler, List = registers }
            : throw new PtxException(PtxFault.Unknown, "mma operands");
    }

    /// <summary>Signed integers of <paramref name="bits"/>: a register holds 32 / bits of them, the first the lowest, and the depth is eight registers'.</summary>
    private static void MultiplyIntegers(Warp warp, in Instruction i, uint mask, int bits)
    {
        var depth = 8 * 32 / bits;
        var a = stackalloc short[Rows * depth];
        var b = stackalloc short[Columns * depth];
        for (var r = 0; r < 4; r++)
        {
            Spread(warp.ReadWord(i.List[4 + r], mask), bits, a + ((r & 1) * 8 * depth) + ((r >> 1) * depth / 2));
        }

        Spread(warp.ReadWord(i.List[8], mask), bits, b);
        Spread(warp.ReadWord(i.List[9], mask), bits, b + (depth / 2));
        var sums = stackalloc int[Rows * Columns];
        for (var row = 0; row < Rows; row++)
        {
            for (var column = 0; column < Columns; column++)
            {
                var sum = 0;
                for (var k = 0; k < depth; k += 16)
                {
                    sum += Dot(Vector256.Load(a + (row * depth) + k), Vector256.Load(b + (column * depth) + k));
                }

                sums[(row * Columns) + column] = sum;
            }
        }

        for (var r = 0; r < 4; r++)
        {
            uint* c = warp.ReadWord(i.List[10 + r], mask), d = warp.WriteWord(i.List[r], mask);
            for (var lane = 0; lane < Warp.Lanes; lane++)
            {
                d[lane] = c[lane] + (uint)sums[Place(r, lane)];
            }
        }
    }

    private static int Place(int register, int lane) => (((lane >> 2) + ((register >> 1) * 8)) * Columns) + ((lane & 3) * 2) + (register & 1);

    /// <summary>Lane 4g + t gives as many inputs of line g as its register holds, behind those of the lanes before; a line is eight registers long.</summary>
    private static void Spread(uint* register, int bits, short* lines)
    {
        var held = 32 / bits;
        for (var lane = 0; lane < Warp.Lanes; lane++)
        {
            var line = lines + ((lane >> 2) * 8 * held) + ((lane & 3) * held);
            for (var e = 0; e < held; e++)
            {
                line[e] = (short)((int)(register[lane] << (32 - bits - (bits * e))) >> (32 - bits));
            }
        }
    }

    /// <summary>The sum of 16 products.</summary>
    public static int Dot(Vector256<short> a, Vector256<short> b)
    {
        // No product of two bytes leaves 16 bits but (−128)².
        if (System.Runtime.Intrinsics.X86.Avx2.IsSupported)
        {
            return Vector256.Sum(System.Runtime.Intrinsics.X86.Avx2.MultiplyAddAdjacent(a, b));
        }

        var (aLow, aHigh) = Vector256.Widen(a);
        var (bLow, bHigh) = Vector256.Widen(b);
        return Vector256.Sum((aLow * bLow) + (aHigh * bHigh));
    }

    /// <summary>Depth 16: a register holds two BF16 numbers, at inputs 2t… of the first or the second half. Products are exact, their sum is rounded once.</summary>
    private static void MultiplyHalves(Warp warp, in Instruction i, uint mask)
    {
        var a = stackalloc double[Rows * 16];
        var b = stackalloc double[Columns * 16];
        for (var r = 0; r < 4; r++)
        {
            SpreadHalves(warp.ReadWord(i.List[4 + r], mask), a + ((r & 1) * 8 * 16) + ((r >> 1) * 8));
        }

        SpreadHalves(warp.ReadWord(i.List[8], mask), b);
        SpreadHalves(warp.ReadWord(i.List[9], mask), b + 8);
        for (var r = 0; r < 4; r++)
        {
            uint* c = warp.ReadWord(i.List[10 + r], mask), d = warp.WriteWord(i.List[r], mask);
            for (var lane = 0; lane < Warp.Lanes; lane++)
            {
                double* x = a + (Place(r, lane) / Columns * 16), y = b + (Place(r, lane) % Columns * 16);
                var sum = (Vector512.Load(x) * Vector512.Load(y)) + (Vector512.Load(x + 8) * Vector512.Load(y + 8));
                d[lane] = FloatArithmetic.Bits((float)(Vector512.Sum(sum) + FloatArithmetic.Value(c[lane])));
            }
        }
    }

    private static void SpreadHalves(uint* register, double* lines)
    {
        for (var lane = 0; lane < Warp.Lanes; lane++)
        {
            var line = lines + ((lane >> 2) * 16) + ((lane & 3) * 2);
            line[0] = FloatArithmetic.Value(register[lane] << 16);
            line[1] = FloatArithmetic.Value(register[lane] & 0xFFFF0000);
        }
    }
}
