using System.Numerics;
using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Syntax;
using Table = System.Collections.Generic.Dictionary<string, System.Func<MASQuant.Ptx.Syntax.Operands, MASQuant.Ptx.Syntax.Instruction>>;

namespace MASQuant.Ptx.Instructions;

/// <summary>FP64: each operation rounds once, to nearest even, as the runtime's own do.</summary>
internal static unsafe class WideArithmetic
{
    public static void AddTo(Table table)
    {
        table["add.rn.f64"] = table["add.f64"] = Binary((a, b) => a + b);
        table["sub.rn.f64"] = table["sub.f64"] = Binary((a, b) => a - b);
        table["mul.rn.f64"] = table["mul.f64"] = Binary((a, b) => a * b);
        table["div.rn.f64"] = Binary((a, b) => a / b);
        table["rcp.rn.f64"] = Unary(a => 1 / a);
        table["neg.f64"] = Unary(a => -a);
        table["cvt.rni.f64.f64"] = Unary(a => Math.Round(a, MidpointRounding.ToEven));
        table["cvt.f64.f32"] = o => new Instruction { Handler = FromSingle, D = o.Long(0), A = o.Word(1) };
        table["cvt.rn.f64.s32"] = o => new Instruction { Handler = FromInteger, D = o.Long(0), A = o.Word(1) };
        table["cvt.rn.f32.f64"] = o => new Instruction { Handler = ToSingle, D = o.Word(0), A = o.Long(1) };
        table["cvt.rzi.s32.f64"] = o => new Instruction { Handler = ToInteger, D = o.Word(0), A = o.Long(1) };

        // Ordered comparisons fail on NaN; the ones that end in u hold on it.
        table["setp.eq.f64"] = Compare((a, b) => a == b);
        table["setp.lt.f64"] = Compare((a, b) => a < b);
        table["setp.le.f64"] = Compare((a, b) => a <= b);
        table["setp.gt.f64"] = Compare((a, b) => a > b);
        table["setp.ge.f64"] = Compare((a, b) => a >= b);
        table["setp.ltu.f64"] = Compare((a, b) => !(a >= b));
        table["setp.leu.f64"] = Compare((a, b) => !(a > b));
        table["setp.gtu.f64"] = Compare((a, b) => !(a <= b));
        table["setp.geu.f64"] = Compare((a, b) => !(a < b));
    }

    private static double Value(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    private static Func<Operands, Instruction> Unary(Func<double, double> operation)
    {
        void Run(Warp warp, in Instruction i, uint mask) => LaneOps.Map(warp.ReadLong(i.A, mask), warp.WriteLong(i.D, mask), mask, a => BitConverter.DoubleToUInt64Bits(operation(Value(a))));
        return o => new Instruction { Handler = Run, D = o.Long(0), A = o.Long(1) };
    }

    private static Func<Operands, Instruction> Binary(Func<double, double, double> operation)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            ulong* a = warp.ReadLong(i.A, mask), b = warp.ReadLong(i.B, mask), d = warp.WriteLong(i.D, mask);
            for (var rest = mask; rest != 0; rest &= rest - 1)
            {
                var lane = BitOperations.TrailingZeroCount(rest);
                d[lane] = BitConverter.DoubleToUInt64Bits(operation(Value(a[lane]), Value(b[lane])));
            }
        }

        return o => new Instruction { Handler = Run, D = o.Long(0), A = o.Long(1), B = o.Long(2) };
    }

    private static Func<Operands, Instruction> Compare(Func<double, double, bool> compare)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            ulong* a = warp.ReadLong(i.A, mask), b = warp.ReadLong(i.B, mask);
            var holds = 0u;
            for (var rest = mask; rest != 0; rest &= rest - 1)
            {
                var lane = BitOperations.TrailingZeroCount(rest);
                holds |= compare(Value(a[lane]), Value(b[lane])) ? 1u << lane : 0;
            }

            warp.WritePredicate(i.D, holds, mask);
        }

        return o => new Instruction { Handler = Run, D = o.Predicate(0), A = o.Long(1), B = o.Long(2) };
    }

    private static void FromSingle(Warp warp, in Instruction i, uint mask)
        => LaneOps.Map(warp.ReadWord(i.A, mask), warp.WriteLong(i.D, mask), mask, a => BitConverter.DoubleToUInt64Bits(FloatArithmetic.Value(a)));

    private static void FromInteger(Warp warp, in Instruction i, uint mask)
        => LaneOps.Map(warp.ReadWord(i.A, mask), warp.WriteLong(i.D, mask), mask, a => BitConverter.DoubleToUInt64Bits((int)a));

    private static void ToSingle(Warp warp, in Instruction i, uint mask)
        => LaneOps.Map(warp.ReadLong(i.A, mask), warp.WriteWord(i.D, mask), mask, a => FloatArithmetic.Bits((float)Value(a)));

    private static void ToInteger(Warp warp, in Instruction i, uint mask)
        => LaneOps.Map(warp.ReadLong(i.A, mask), warp.WriteWord(i.D, mask), mask, a => double.IsNaN(Value(a)) ? 0u : (uint)(int)Math.Clamp(Math.Truncate(Value(a)), int.MinValue, int.MaxValue));
}
