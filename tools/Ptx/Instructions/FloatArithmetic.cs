using System.Runtime.Intrinsics;
using Floats = System.Runtime.Intrinsics.Vector512<float>;
using Table = System.Collections.Generic.Dictionary<string, System.Func<MASQuant.Ptx.Syntax.Operands, MASQuant.Ptx.Syntax.Instruction>>;

namespace MASQuant.Ptx.Instructions;

/// <summary>FP32 with one rounding to nearest even; subnormal numbers count. BF16 pairs.</summary>
internal static class FloatArithmetic
{
    public static void AddTo(Table table)
    {
        Add(table, ["add.rn.f32", "add.f32"], (a, b) => a + b);
        Add(table, ["sub.rn.f32", "sub.f32"], (a, b) => a - b);
        Add(table, ["mul.rn.f32", "mul.f32"], (a, b) => a * b);
        Add(table, ["div.rn.f32"], (a, b) => a / b);

        // A number wins over NaN.
        Add(table, ["min.f32"], Vector512.MinNumber);
        Add(table, ["max.f32"], Vector512.MaxNumber);
        Add(table, ["max.NaN.f32"], Vector512.Max);
        table["neg.f32"] = WordArithmetic.Unary((a, _) => a ^ Vector512.Create(0x80000000u));
        table["abs.f32"] = WordArithmetic.Unary((a, _) => a & Vector512.Create(0x7FFFFFFFu));
        table["sqrt.rn.f32"] = WordArithmetic.Unary((a, _) => Vector512.Sqrt(a.AsSingle()).AsUInt32());
        table["rcp.rn.f32"] = table["rcp.approx.f32"] = table["rcp.approx.ftz.f32"] = WordArithmetic.Unary((a, _) => (Floats.One / a.AsSingle()).AsUInt32());
        table["fma.rn.f32"] = WordArithmetic.Ternary((a, b, c) => Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).AsUInt32());

        // The hardware's approximations are within 2 units in the last place; these are the correctly rounded values.
        WordArithmetic.AddScalar(table, ["ex2.approx.f32", "ex2.approx.ftz.f32"], (a, _) => Bits((float)Math.Pow(2, Value(a))), operands: 1);
        WordArithmetic.AddScalar(table, ["lg2.approx.f32"], (a, _) => Bits((float)Math.Log2(Value(a))), operands: 1);
        WordArithmetic.AddScalar(table, ["rsqrt.approx.f32"], (a, _) => Bits((float)(1 / Math.Sqrt(Value(a)))), operands: 1);
        WordArithmetic.AddScalar(table, ["fma.rn.bf16x2"], (a, b, c) => FusedHalf(a, b, c) | (FusedHalf(a >> 16, b >> 16, c >> 16) << 16));
    }

    /// <summary>Rounds to BF16, ties to even.</summary>
    public static uint ToBFloat16(double value)
    {
        // FP64 to BF16 in one rounding: the FP32 between is rounded to odd.
        var single = (float)value;
        var bits = Bits(single);
        if (double.IsFinite(value) && single != value && (bits & 1) == 0)
        {
            bits = Math.Abs((double)single) > Math.Abs(value) ? bits - 1 : bits | 1;
        }

        return float.IsNaN(single) ? 0x7FFFu : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
    }

    public static float Value(uint bits) => BitConverter.UInt32BitsToSingle(bits);

    public static uint Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    private static uint FusedHalf(uint a, uint b, uint c)
        => ToBFloat16(((double)Value(a << 16) * Value(b << 16)) + Value(c << 16)); // The product of two BF16 numbers is exact in FP64; so is the sum of near ones.

    private static void Add(Table table, string[] names, Func<Floats, Floats, Floats> operation)
    {
        foreach (var name in names)
        {
            table[name] = WordArithmetic.Binary((a, b) => operation(a.AsSingle(), b.AsSingle()).AsUInt32());
        }
    }
}
