using System.Runtime.Intrinsics;
using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Syntax;
using Table = System.Collections.Generic.Dictionary<string, System.Func<MASQuant.Ptx.Syntax.Operands, MASQuant.Ptx.Syntax.Instruction>>;
using Words = System.Runtime.Intrinsics.Vector512<uint>;

namespace MASQuant.Ptx.Instructions;

/// <summary>Comparisons into predicates, selections by them, and their logic.</summary>
internal static unsafe class Comparisons
{
    public static void AddTo(Table table)
    {
        AddSigned(table);
        AddUnsigned(table);
        AddFloat(table);
        AddLong(table);
        table["selp.b32"] = table["selp.s32"] = table["selp.u32"] = table["selp.f32"] = table["selp.b16"] = table["selp.u16"] = table["selp.s16"]
            = o => new Instruction { Handler = SelectWord, D = o.Word(0), A = o.Word(1), B = o.Word(2), C = o.Predicate(3) };
        table["selp.b64"] = table["selp.f64"] = table["selp.s64"] = table["selp.u64"] = o => new Instruction { Handler = SelectLong, D = o.Long(0), A = o.Long(1), B = o.Long(2), C = o.Predicate(3) };
        table["and.pred"] = Logic((a, b) => a & b);
        table["or.pred"] = Logic((a, b) => a | b);
        table["xor.pred"] = Logic((a, b) => a ^ b);
        table["not.pred"] = o => new Instruction { Handler = Not, D = o.Predicate(0), A = o.Predicate(1) };
        table["mov.pred"] = o => o.KindOf(1) is null
            ? new Instruction { Handler = SetPredicate, D = o.Predicate(0), Size = o.Integer(1) == 0 ? 0 : -1 }
            : new Instruction { Handler = MovePredicate, D = o.Predicate(0), A = o.Predicate(1) };
    }

    private static void AddSigned(Table table)
    {
        foreach (var type in (string[])["s32", "s16"])
        {
            table[$"setp.lt.{type}"] = Word((a, b) => Vector512.LessThan(Signed(a, type), Signed(b, type)).AsUInt32());
            table[$"setp.le.{type}"] = Word((a, b) => Vector512.LessThanOrEqual(Signed(a, type), Signed(b, type)).AsUInt32());
            table[$"setp.gt.{type}"] = Word((a, b) => Vector512.GreaterThan(Signed(a, type), Signed(b, type)).AsUInt32());
            table[$"setp.ge.{type}"] = Word((a, b) => Vector512.GreaterThanOrEqual(Signed(a, type), Signed(b, type)).AsUInt32());
        }
    }

    private static Vector512<int> Signed(Words value, string type) => type == "s32" ? value.AsInt32() : (value << 16).AsInt32() >> 16;

    private static void AddUnsigned(Table table)
    {
        foreach (var type in (string[])["u32", "u16", "b32", "b16", "s32", "s16"])
        {
            table[$"setp.eq.{type}"] = Word((a, b) => Vector512.Equals(a, b));
            table[$"setp.ne.{type}"] = Word((a, b) => ~Vector512.Equals(a, b));
        }

        foreach (var type in (string[])["u32", "u16"])
        {
            table[$"setp.lt.{type}"] = Word(Vector512.LessThan);
            table[$"setp.le.{type}"] = Word(Vector512.LessThanOrEqual);
            table[$"setp.gt.{type}"] = Word(Vector512.GreaterThan);
            table[$"setp.ge.{type}"] = Word(Vector512.GreaterThanOrEqual);
        }
    }

    /// <summary>Ordered comparisons fail on NaN; the ones that end in u hold on it.</summary>
    private static void AddFloat(Table table)
    {
        Add("eq", (a, b) => Vector512.Equals(a, b));
        Add("lt", (a, b) => Vector512.LessThan(a, b));
        Add("le", (a, b) => Vector512.LessThanOrEqual(a, b));
        Add("gt", (a, b) => Vector512.GreaterThan(a, b));
        Add("ge", (a, b) => Vector512.GreaterThanOrEqual(a, b));
        Add("ne", (a, b) => Vector512.LessThan(a, b) | Vector512.GreaterThan(a, b));
        Add("num", (a, b) => Vector512.Equals(a, a) & Vector512.Equals(b, b));
        Add("nan", (a, b) => ~(Vector512.Equals(a, a) & Vector512.Equals(b, b)));
        Add("equ", (a, b) => ~(Vector512.LessThan(a, b) | Vector512.GreaterThan(a, b)));
        Add("neu", (a, b) => ~Vector512.Equals(a, b));
        Add("ltu", (a, b) => ~Vector512.GreaterThanOrEqual(a, b));
        Add("leu", (a, b) => ~Vector512.GreaterThan(a, b));
        Add("gtu", (a, b) => ~Vector512.LessThanOrEqual(a, b));
        Add("geu", (a, b) => ~Vector512.LessThan(a, b));

        void Add(string name, Func<Vector512<float>, Vector512<float>, Vector512<float>> compare)
            => table[$"setp.{name}.f32"] = Word((a, b) => compare(a.AsSingle(), b.AsSingle()).AsUInt32());
    }

    private static void AddLong(Table table)
    {
        foreach (var type in (string[])["u64", "b64", "s64"])
        {
            table[$"setp.eq.{type}"] = Long((a, b) => a == b);
            table[$"setp.ne.{type}"] = Long((a, b) => a != b);
        }

        table["setp.lt.u64"] = Long((a, b) => a < b);
        table["setp.le.u64"] = Long((a, b) => a <= b);
        table["setp.gt.u64"] = Long((a, b) => a > b);
        table["setp.ge.u64"] = Long((a, b) => a >= b);
        table["setp.lt.s64"] = Long((a, b) => (long)a < (long)b);
        table["setp.le.s64"] = Long((a, b) => (long)a <= (long)b);
        table["setp.gt.s64"] = Long((a, b) => (long)a > (long)b);
        table["setp.ge.s64"] = Long((a, b) => (long)a >= (long)b);
    }

    private static Func<Operands, Instruction> Word(Func<Words, Words, Words> compare)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            uint* a = warp.ReadWord(i.A, mask), b = warp.ReadWord(i.B, mask);
            var low = (uint)compare(Vector512.Load(a), Vector512.Load(b)).ExtractMostSignificantBits();
            var high = (uint)compare(Vector512.Load(a + 16), Vector512.Load(b + 16)).ExtractMostSignificantBits();
            warp.WritePredicate(i.D, low | (high << 16), mask);
        }

        return o => new Instruction { Handler = Run, D = o.Predicate(0), A = o.Word(1), B = o.Word(2) };
    }

    private static Func<Operands, Instruction> Long(Func<ulong, ulong, bool> compare)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            ulong* a = warp.ReadLong(i.A, mask), b = warp.ReadLong(i.B, mask);
            var result = 0u;
            for (var lane = 0; lane < Warp.Lanes; lane++)
            {
                result |= compare(a[lane], b[lane]) ? 1u << lane : 0;
            }

            warp.WritePredicate(i.D, result, mask);
        }

        return o => new Instruction { Handler = Run, D = o.Predicate(0), A = o.Long(1), B = o.Long(2) };
    }

    private static Func<Operands, Instruction> Logic(Func<uint, uint, uint> operation)
    {
        void Run(Warp warp, in Instruction i, uint mask) => warp.WritePredicate(i.D, operation(warp.ReadPredicate(i.A, mask), warp.ReadPredicate(i.B, mask)), mask);

        return o => new Instruction { Handler = Run, D = o.Predicate(0), A = o.Predicate(1), B = o.Predicate(2) };
    }

    private static void Not(Warp warp, in Instruction i, uint mask) => warp.WritePredicate(i.D, ~warp.ReadPredicate(i.A, mask), mask);

    private static void SetPredicate(Warp warp, in Instruction i, uint mask) => warp.WritePredicate(i.D, (uint)i.Size, mask);

    private static void MovePredicate(Warp warp, in Instruction i, uint mask) => warp.WritePredicate(i.D, warp.ReadPredicate(i.A, mask), mask);

    /// <summary>Only the chosen source must have been written.</summary>
    private static void SelectWord(Warp warp, in Instruction i, uint mask)
    {
        var choice = warp.ReadPredicate(i.C, mask);
        uint* a = warp.ReadWord(i.A, mask & choice), b = warp.ReadWord(i.B, mask & ~choice), d = warp.WriteWord(i.D, mask);
        for (var lane = 0; lane < Warp.Lanes; lane++)
        {
            d[lane] = (mask >> lane & 1) == 0 ? d[lane] : (choice >> lane & 1) != 0 ? a[lane] : b[lane];
        }
    }

    private static void SelectLong(Warp warp, in Instruction i, uint mask)
    {
        var choice = warp.ReadPredicate(i.C, mask);
        ulong* a = warp.ReadLong(i.A, mask & choice), b = warp.ReadLong(i.B, mask & ~choice), d = warp.WriteLong(i.D, mask);
        for (var lane = 0; lane < Warp.Lanes; lane++)
        {
            d[lane] = (mask >> lane & 1) == 0 ? d[lane] : (choice >> lane & 1) != 0 ? a[lane] : b[lane];
        }
    }
}
