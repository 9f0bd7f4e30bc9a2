using System.Numerics;
using System.Runtime.Intrinsics;
using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Syntax;
using Longs = System.Runtime.Intrinsics.Vector512<ulong>;
using Table = System.Collections.Generic.Dictionary<string, System.Func<MASQuant.Ptx.Syntax.Operands, MASQuant.Ptx.Syntax.Instruction>>;

namespace MASQuant.Ptx.Instructions;

/// <summary>Integers and bits of 64 bits, and products that widen to them.</summary>
internal static unsafe class LongArithmetic
{
    public static void AddTo(Table table)
    {
        table["add.s64"] = table["add.u64"] = Binary((a, b) => a + b);
        table["sub.s64"] = table["sub.u64"] = Binary((a, b) => a - b);
        table["mul.lo.s64"] = table["mul.lo.u64"] = Binary((a, b) => a * b);
        table["and.b64"] = Binary((a, b) => a & b);
        table["or.b64"] = Binary((a, b) => a | b);
        table["xor.b64"] = Binary((a, b) => a ^ b);
        table["min.s64"] = Binary((a, b) => Vector512.Min(a.AsInt64(), b.AsInt64()).AsUInt64());
        table["max.s64"] = Binary((a, b) => Vector512.Max(a.AsInt64(), b.AsInt64()).AsUInt64());
        table["min.u64"] = Binary(Vector512.Min);
        table["max.u64"] = Binary(Vector512.Max);
        table["not.b64"] = o => new Instruction { Handler = Invert, D = o.Long(0), A = o.Long(1) };
        table["neg.s64"] = o => new Instruction { Handler = Negate, D = o.Long(0), A = o.Long(1) };
        table["mad.lo.s64"] = table["mad.lo.u64"] = o => new Instruction { Handler = MultiplyAdd, D = o.Long(0), A = o.Long(1), B = o.Long(2), C = o.Long(3) };
        table["shl.b64"] = Shift((a, b) => b > 63 ? 0 : a << (int)b);
        table["shr.u64"] = table["shr.b64"] = Shift((a, b) => b > 63 ? 0 : a >> (int)b);
        table["shr.s64"] = Shift((a, b) => (ulong)((long)a >> (int)Math.Min(b, 63)));
        table["mul.hi.u64"] = Scalar((a, b) => Math.BigMul(a, b, out _));
        table["div.u64"] = Scalar((a, b) => b == 0 ? ~0ul : a / b);
        table["mul.wide.u32"] = Widen((a, b, _) => (ulong)a * b, false);
        table["mul.wide.s32"] = Widen((a, b, _) => (ulong)((long)(int)a * (int)b), false);
        table["mad.wide.u32"] = Widen((a, b, c) => ((ulong)a * b) + c, true);
        table["mad.wide.s32"] = Widen((a, b, c) => (ulong)((long)(int)a * (int)b) + c, true);
    }

    private static Func<Operands, Instruction> Binary(Func<Longs, Longs, Longs> operation)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            ulong* a = warp.ReadLong(i.A, mask), b = warp.ReadLong(i.B, mask), d = warp.WriteLong(i.D, mask);
            for (var lane = 0; lane < Warp.Lanes; lane += 8)
            {
                LaneOps.Store(operation(Vector512.Load(a + lane), Vector512.Load(b + lane)), d + lane, mask >> lane);
            }
        }

        return o => new Instruction { Handler = Run, D = o.Long(0), A = o.Long(1), B = o.Long(2) };
    }

    private static Func<Operands, Instruction> Scalar(Func<ulong, ulong, ulong> operation)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            ulong* a = warp.ReadLong(i.A, mask), b = warp.ReadLong(i.B, mask), d = warp.WriteLong(i.D, mask);
            for (var rest = mask; rest != 0; rest &= rest - 1)
            {
                var lane = BitOperations.TrailingZeroCount(rest);
                d[lane] = operation(a[lane], b[lane]);
            }
        }

        return o => new Instruction { Handler = Run, D = o.Long(0), A = o.Long(1), B = o.Long(2) };
    }

    private static Func<Operands, Instruction> Shift(Func<ulong, uint, ulong> operation)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            ulong* a = warp.ReadLong(i.A, mask), d = warp.WriteLong(i.D, mask);
            var b = warp.ReadWord(i.B, mask);
            for (var rest = mask; rest != 0; rest &= rest - 1)
            {
                var lane = BitOperations.TrailingZeroCount(rest);
                d[lane] = operation(a[lane], b[lane]);
            }
        }

        return o => new Instruction { Handler = Run, D = o.Long(0), A = o.Long(1), B = o.Word(2) };
    }

    private static Func<Operands, Instruction> Widen(Func<uint, uint, ulong, ulong> operation, bool adds)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            uint* a = warp.ReadWord(i.A, mask), b = warp.ReadWord(i.B, mask);
            var c = adds ? warp.ReadLong(i.C, mask) : null;
            var d = warp.WriteLong(i.D, mask);
            for (var rest = mask; rest != 0; rest &= rest - 1)
            {
                var lane = BitOperations.TrailingZeroCount(rest);
                d[lane] = operation(a[lane], b[lane], adds ? c[lane] : 0);
            }
        }

        return o => new Instruction { Handler = Run, D = o.Long(0), A = o.Word(1), B = o.Word(2), C = adds ? o.Long(3) : 0 };
    }

    private static void Negate(Warp warp, in Instruction i, uint mask)
    {
        ulong* a = warp.ReadLong(i.A, mask), d = warp.WriteLong(i.D, mask);
        for (var lane = 0; lane < Warp.Lanes; lane += 8)
        {
            LaneOps.Store(Longs.Zero - Vector512.Load(a + lane), d + lane, mask >> lane);
        }
    }

    private static void Invert(Warp warp, in Instruction i, uint mask)
    {
        ulong* a = warp.ReadLong(i.A, mask), d = warp.WriteLong(i.D, mask);
        for (var lane = 0; lane < Warp.Lanes; lane += 8)
        {
            LaneOps.Store(~Vector512.Load(a + lane), d + lane, mask >> lane);
        }
    }

    private static void MultiplyAdd(Warp warp, in Instruction i, uint mask)
    {
        ulong* a = warp.ReadLong(i.A, mask), b = warp.ReadLong(i.B, mask), c = warp.ReadLong(i.C, mask), d = warp.WriteLong(i.D, mask);
        for (var lane = 0; lane < Warp.Lanes; lane += 8)
        {
            LaneOps.Store((Vector512.Load(a + lane) * Vector512.Load(b + lane)) + Vector512.Load(c + lane), d + lane, mask >> lane);
        }
    }
}
