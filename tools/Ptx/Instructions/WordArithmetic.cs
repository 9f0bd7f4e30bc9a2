using System.Numerics;
using System.Runtime.Intrinsics;
using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Syntax;
using Table = System.Collections.Generic.Dictionary<string, System.Func<MASQuant.Ptx.Syntax.Operands, MASQuant.Ptx.Syntax.Instruction>>;
using Words = System.Runtime.Intrinsics.Vector512<uint>;

namespace MASQuant.Ptx.Instructions;

/// <summary>Integers and bits of 32 and 16 bits.</summary>
internal static unsafe class WordArithmetic
{
    private static readonly Words Short = Vector512.Create(0xFFFFu);

    public static void AddTo(Table table)
    {
        Add(table, ["add.s32", "add.u32"], (a, b) => a + b);
        Add(table, ["sub.s32", "sub.u32"], (a, b) => a - b);
        Add(table, ["mul.lo.s32", "mul.lo.u32"], (a, b) => a * b);
        Add(table, ["and.b32", "and.b16"], (a, b) => a & b);
        Add(table, ["or.b32", "or.b16"], (a, b) => a | b);
        Add(table, ["xor.b32", "xor.b16"], (a, b) => a ^ b);
        Add(table, ["min.s32"], (a, b) => Vector512.Min(a.AsInt32(), b.AsInt32()).AsUInt32());
        Add(table, ["max.s32"], (a, b) => Vector512.Max(a.AsInt32(), b.AsInt32()).AsUInt32());
        Add(table, ["min.u32"], Vector512.Min);
        Add(table, ["max.u32"], Vector512.Max);
        Add(table, ["add.s16", "add.u16"], (a, b) => (a + b) & Short);
        Add(table, ["sub.s16", "sub.u16"], (a, b) => (a - b) & Short);
        Add(table, ["mul.lo.s16", "mul.lo.u16"], (a, b) => (a * b) & Short);
        table["not.b32"] = Unary((a, _) => ~a);
        table["not.b16"] = Unary((a, _) => ~a & Short);
        table["neg.s32"] = Unary((a, _) => Words.Zero - a);
        table["abs.s32"] = Unary((a, _) => Vector512.Abs(a.AsInt32()).AsUInt32());
        table["mad.lo.s32"] = table["mad.lo.u32"] = Ternary((a, b, c) => (a * b) + c);

        // Shifts stop at the width.
        AddScalar(table, ["shl.b32"], (a, b) => b > 31 ? 0 : a << (int)b);
        AddScalar(table, ["shl.b16"], (a, b) => b > 15 ? 0 : (a << (int)b) & 0xFFFF);
        AddScalar(table, ["shr.u32", "shr.b32", "shr.u16", "shr.b16"], (a, b) => b > 31 ? 0 : a >> (int)b);
        AddScalar(table, ["shr.s32"], (a, b) => (uint)((int)a >> (int)Math.Min(b, 31)));
        AddScalar(table, ["div.u32"], (a, b) => b == 0 ? ~0u : a / b);
        AddScalar(table, ["rem.u32"], (a, b) => b == 0 ? a : a % b);
        AddScalar(table, ["div.s32"], (a, b) => b == 0 ? ~0u : (uint)(int)((long)(int)a / (int)b));
        AddScalar(table, ["rem.s32"], (a, b) => b == 0 ? a : (uint)(int)((long)(int)a % (int)b));
        AddScalar(table, ["mul.hi.u16"], (a, b) => ((a & 0xFFFF) * (b & 0xFFFF)) >> 16);
        AddScalar(table, ["mul.wide.u16"], (a, b) => (a & 0xFFFF) * (b & 0xFFFF));
        AddScalar(table, ["mul.hi.u32"], (a, b) => (uint)(((ulong)a * b) >> 32));
        AddScalar(table, ["mul.hi.s32"], (a, b) => (uint)(((long)(int)a * (int)b) >> 32));
        AddScalar(table, ["popc.b32"], (a, _) => (uint)BitOperations.PopCount(a), operands: 1);
        AddScalar(table, ["clz.b32"], (a, _) => (uint)BitOperations.LeadingZeroCount(a), operands: 1);
        AddScalar(table, ["brev.b32"], (a, _) => Reverse(a), operands: 1);
        AddScalar(table, ["bfe.u32"], (a, b, c) => c == 0 || b > 31 ? 0 : (a >> (int)b) & (c > 31 ? ~0u : (1u << (int)c) - 1));
        AddScalar(table, ["prmt.b32"], Permute);
        AddScalar(table, ["shf.l.wrap.b32"], (a, b, c) => (uint)((((ulong)b << 32) | a) << (int)(c & 31) >> 32));
        AddScalar(table, ["shf.r.wrap.b32"], (a, b, c) => (uint)((((ulong)b << 32) | a) >> (int)(c & 31)));
        table["lop3.b32"] = Lop3;
    }

    public static Func<Operands, Instruction> Unary(Func<Words, Words, Words> operation)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            uint* a = warp.ReadWord(i.A, mask), d = warp.WriteWord(i.D, mask);
            LaneOps.Store(operation(Vector512.Load(a), default), d, mask);
            LaneOps.Store(operation(Vector512.Load(a + 16), default), d + 16, mask >> 16);
        }

        return o => new Instruction { Handler = Run, D = o.Word(0), A = o.Word(1) };
    }

    public static Func<Operands, Instruction> Binary(Func<Words, Words, Words> operation)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            uint* a = warp.ReadWord(i.A, mask), b = warp.ReadWord(i.B, mask), d = warp.WriteWord(i.D, mask);
            LaneOps.Store(operation(Vector512.Load(a), Vector512.Load(b)), d, mask);
            LaneOps.Store(operation(Vector512.Load(a + 16), Vector512.Load(b + 16)), d + 16, mask >> 16);
        }

        return o => new Instruction { Handler = Run, D = o.Word(0), A = o.Word(1), B = o.Word(2) };
    }

    public static Func<Operands, Instruction> Ternary(Func<Words, Words, Words, Words> operation)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            uint* a = warp.ReadWord(i.A, mask), b = warp.ReadWord(i.B, mask), c = warp.ReadWord(i.C, mask), d = warp.WriteWord(i.D, mask);
            LaneOps.Store(operation(Vector512.Load(a), Vector512.Load(b), Vector512.Load(c)), d, mask);
            LaneOps.Store(operation(Vector512.Load(a + 16), Vector512.Load(b + 16), Vector512.Load(c + 16)), d + 16, mask >> 16);
        }

        return o => new Instruction { Handler = Run, D = o.Word(0), A = o.Word(1), B = o.Word(2), C = o.Word(3) };
    }

    /// <summary>An operation that is written for one lane.</summary>
    public static void AddScalar(Table table, string[] names, Func<uint, uint, uint> operation, int operands = 2)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            uint* a = warp.ReadWord(i.A, mask), b = warp.ReadWord(i.B, mask), d = warp.WriteWord(i.D, mask);
            for (var rest = mask; rest != 0; rest &= rest - 1)
            {
                var lane = BitOperations.TrailingZeroCount(rest);
                d[lane] = operation(a[lane], b[lane]);
            }
        }

        foreach (var name in names)
        {
            table[name] = o => new Instruction { Handler = Run, D = o.Word(0), A = o.Word(1), B = o.Word(operands) };
        }
    }

    public static void AddScalar(Table table, string[] names, Func<uint, uint, uint, uint> operation)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            uint* a = warp.ReadWord(i.A, mask), b = warp.ReadWord(i.B, mask), c = warp.ReadWord(i.C, mask), d = warp.WriteWord(i.D, mask);
            for (var rest = mask; rest != 0; rest &= rest - 1)
            {
                var lane = BitOperations.TrailingZeroCount(rest);
                d[lane] = operation(a[lane], b[lane], c[lane]);
            }
        }

        foreach (var name in names)
        {
            table[name] = o => new Instruction { Handler = Run, D = o.Word(0), A = o.Word(1), B = o.Word(2), C = o.Word(3) };
        }
    }

    private static void Add(Table table, string[] names, Func<Words, Words, Words> operation)
    {
        foreach (var name in names)
        {
            table[name] = Binary(operation);
        }
    }

    private static Instruction Lop3(Operands o)
        => new() { Handler = RunLop3, D = o.Word(0), A = o.Word(1), B = o.Word(2), C = o.Word(3), Size = (int)Convert.ToUInt32(o[4], o[4].StartsWith("0x", StringComparison.Ordinal) ? 16 : 10) };

    private static void RunLop3(Warp warp, in Instruction i, uint mask)
    {
        uint* a = warp.ReadWord(i.A, mask), b = warp.ReadWord(i.B, mask), c = warp.ReadWord(i.C, mask), d = warp.WriteWord(i.D, mask);
        for (var half = 0; half < 32; half += 16)
        {
            Words x = Vector512.Load(a + half), y = Vector512.Load(b + half), z = Vector512.Load(c + half), result = Words.Zero;
            for (var term = 0; term < 8; term++)
            {
                if ((i.Size >> term & 1) != 0)
                {
                    result |= ((term & 4) != 0 ? x : ~x) & ((term & 2) != 0 ? y : ~y) & ((term & 1) != 0 ? z : ~z);
                }
            }

            LaneOps.Store(result, d + half, mask >> half);
        }
    }

    /// <summary>Picks four of the eight bytes of <paramref name="a"/> and <paramref name="b"/>; a selector above 7 repeats the byte's sign.</summary>
    private static uint Permute(uint a, uint b, uint selectors)
    {
        var bytes = ((ulong)b << 32) | a;
        var result = 0u;
        for (var i = 0; i < 4; i++)
        {
            var selector = (int)(selectors >> (4 * i)) & 0xF;
            var value = (uint)(bytes >> (8 * (selector & 7))) & 0xFF;
            result |= (selector < 8 ? value : (value & 0x80) != 0 ? 0xFFu : 0u) << (8 * i);
        }

        return result;
    }

    private static uint Reverse(uint value)
    {
        var result = 0u;
        for (var i = 0; i < 32; i++)
        {
            result |= (value >> i & 1) << (31 - i);
        }

        return result;
    }
}
