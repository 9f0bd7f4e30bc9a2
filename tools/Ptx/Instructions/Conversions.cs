using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Syntax;
using Table = System.Collections.Generic.Dictionary<string, System.Func<MASQuant.Ptx.Syntax.Operands, MASQuant.Ptx.Syntax.Instruction>>;

namespace MASQuant.Ptx.Instructions;

/// <summary>Conversions between integer widths, FP32 and BF16.</summary>
internal static unsafe class Conversions
{
    public static void AddTo(Table table)
    {
        AddWord(table, "cvt.rn.f32.s32", a => FloatArithmetic.Bits((int)a));
        AddWord(table, "cvt.rn.f32.u32", a => FloatArithmetic.Bits(a));
        AddWord(table, "cvt.rni.s32.f32", a => Saturate(MathF.Round(FloatArithmetic.Value(a), MidpointRounding.ToEven)));
        AddWord(table, "cvt.rzi.s32.f32", a => Saturate(MathF.Truncate(FloatArithmetic.Value(a))));
        AddWord(table, "cvt.u32.u16", a => a & 0xFFFF);
        AddWord(table, "cvt.u16.u32", a => a & 0xFFFF);
        AddWord(table, "cvt.s32.s16", a => (uint)(short)a);
        AddWord(table, "cvt.u32.u8", a => a & 0xFF);
        AddWord(table, "cvt.u16.u8", a => a & 0xFF);
        AddWord(table, "cvt.s32.s8", a => (uint)(sbyte)a);
        AddWord(table, "cvt.s16.s8", a => (ushort)(sbyte)a);
        AddWord(table, "cvt.f32.bf16", a => a << 16);
        AddWord(table, "cvt.rn.bf16.f32", a => FloatArithmetic.ToBFloat16(FloatArithmetic.Value(a)));

        // The first source goes to the upper half.
        WordArithmetic.AddScalar(table, ["cvt.rn.bf16x2.f32"],
            (a, b) => (FloatArithmetic.ToBFloat16(FloatArithmetic.Value(a)) << 16) | FloatArithmetic.ToBFloat16(FloatArithmetic.Value(b)));
        AddWiden(table, "cvt.s64.s32", a => (ulong)(int)a);
        AddWiden(table, "cvt.u64.u32", a => a);
        AddWiden(table, "cvt.u64.u16", a => a & 0xFFFF);
        AddWiden(table, "cvt.rni.u64.f32", a => (ulong)Math.Max(0, Math.Round((double)FloatArithmetic.Value(a), MidpointRounding.ToEven)));
        AddNarrow(table, "cvt.u32.u64", a => (uint)a);
        AddNarrow(table, "cvt.u16.u64", a => (ushort)a);
    }

    private static uint Saturate(float value) => float.IsNaN(value) ? 0 : (uint)(int)Math.Clamp((double)value, int.MinValue, int.MaxValue);

    private static void AddWord(Table table, string name, Func<uint, uint> convert)
    {
        void Run(Warp warp, in Instruction i, uint mask) => LaneOps.Map(warp.ReadWord(i.A, mask), warp.WriteWord(i.D, mask), mask, convert);
        table[name] = o => new Instruction { Handler = Run, D = o.Word(0), A = o.Word(1) };
    }

    private static void AddWiden(Table table, string name, Func<uint, ulong> convert)
    {
        void Run(Warp warp, in Instruction i, uint mask) => LaneOps.Map(warp.ReadWord(i.A, mask), warp.WriteLong(i.D, mask), mask, convert);
        table[name] = o => new Instruction { Handler = Run, D = o.Long(0), A = o.Word(1) };
    }

    private static void AddNarrow(Table table, string name, Func<ulong, uint> convert)
    {
        void Run(Warp warp, in Instruction i, uint mask) => LaneOps.Map(warp.ReadLong(i.A, mask), warp.WriteWord(i.D, mask), mask, convert);
        table[name] = o => new Instruction { Handler = Run, D = o.Word(0), A = o.Long(1) };
    }
}
