using System.Numerics;
using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Syntax;
using Table = System.Collections.Generic.Dictionary<string, System.Func<MASQuant.Ptx.Syntax.Operands, MASQuant.Ptx.Syntax.Instruction>>;

namespace MASQuant.Ptx.Instructions;

/// <summary>Copies between registers, packing, and the address spaces' common view.</summary>
internal static unsafe class Moves
{
    /// <summary>Where shared memory lies among all addresses.</summary>
    public const ulong SharedWindow = 1ul << 40;

    public static void AddTo(Table table)
    {
        foreach (var type in (string[])["b32", "u32", "s32", "f32", "b16", "u16", "s16"])
        {
            table[$"mov.{type}"] = Word;
        }

        foreach (var type in (string[])["b64", "u64", "s64"])
        {
            table[$"mov.{type}"] = Long;
        }

        table["cvta.to.global.u64"] = table["cvta.global.u64"] = o => new Instruction { Handler = CopyLong, D = o.Long(0), A = o.Long(1) };
        AddLong(table, "cvta.shared.u64", a => a + SharedWindow);
        AddLong(table, "cvta.to.shared.u64", a => a - SharedWindow);
    }

    private static void AddLong(Table table, string name, Func<ulong, ulong> move)
    {
        void Run(Warp warp, in Instruction i, uint mask) => LaneOps.Map(warp.ReadLong(i.A, mask), warp.WriteLong(i.D, mask), mask, move);
        table[name] = o => new Instruction { Handler = Run, D = o.Long(0), A = o.Long(1) };
    }

    private static Instruction Word(Operands o)
    {
        if (o[0][0] == '{')
        {
            return new Instruction { Handler = UnpackWord, List = o.Vector(0, RegisterKind.Word), A = o.Word(1) };
        }

        return o[1][0] == '{'
            ? new Instruction { Handler = PackWord, D = o.Word(0), List = o.Vector(1, RegisterKind.Word) }
            : new Instruction { Handler = CopyWord, D = o.Word(0), A = o.Word(1) };
    }

    private static Instruction Long(Operands o)
    {
        if (o[0][0] == '{')
        {
            return new Instruction { Handler = UnpackLong, List = o.Vector(0, RegisterKind.Word), A = o.Long(1) };
        }

        return o[1][0] == '{'
            ? new Instruction { Handler = PackLong, D = o.Long(0), List = o.Vector(1, RegisterKind.Word) }
            : new Instruction { Handler = CopyLong, D = o.Long(0), A = o.Long(1) };
    }

    private static void CopyWord(Warp warp, in Instruction i, uint mask)
    {
        uint* a = warp.ReadWord(i.A, mask), d = warp.WriteWord(i.D, mask);
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            d[lane] = a[lane];
        }
    }

    private static void CopyLong(Warp warp, in Instruction i, uint mask)
    {
        ulong* a = warp.ReadLong(i.A, mask), d = warp.WriteLong(i.D, mask);
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            d[lane] = a[lane];
        }
    }

    private static void PackWord(Warp warp, in Instruction i, uint mask)
    {
        uint* low = warp.ReadWord(i.List[0], mask), high = warp.ReadWord(i.List[1], mask), d = warp.WriteWord(i.D, mask);
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            d[lane] = (low[lane] & 0xFFFF) | (high[lane] << 16);
        }
    }

    private static void UnpackWord(Warp warp, in Instruction i, uint mask)
    {
        var a = warp.ReadWord(i.A, mask);
        Unpack(warp, i.List[0], mask, a, word => word & 0xFFFF);
        Unpack(warp, i.List[1], mask, a, word => word >> 16);
    }

    private static void PackLong(Warp warp, in Instruction i, uint mask)
    {
        uint* low = warp.ReadWord(i.List[0], mask), high = warp.ReadWord(i.List[1], mask);
        var d = warp.WriteLong(i.D, mask);
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            d[lane] = low[lane] | ((ulong)high[lane] << 32);
        }
    }

    private static void UnpackLong(Warp warp, in Instruction i, uint mask)
    {
        var a = warp.ReadLong(i.A, mask);
        Unpack(warp, i.List[0], mask, a, word => (uint)word);
        Unpack(warp, i.List[1], mask, a, word => (uint)(word >> 32));
    }

    /// <summary>One part, unless it is not wanted.</summary>
    private static void Unpack<T>(Warp warp, int register, uint mask, T* a, Func<T, uint> part)
        where T : unmanaged
    {
        if (register >= 0)
        {
            LaneOps.Map(a, warp.WriteWord(register, mask), mask, part);
        }
    }
}
