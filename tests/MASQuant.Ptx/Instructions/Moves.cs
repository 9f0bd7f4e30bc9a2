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
        table["cvta.shared.u64"] = o => new Instruction { Handler = AddWindow, D = o.Long(0), A = o.Long(1), Offset = (long)SharedWindow };
        table["cvta.to.shared.u64"] = o => new Instruction { Handler = AddWindow, D = o.Long(0), A = o.Long(1), Offset = -(long)SharedWindow };
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

    private static void AddWindow(Warp warp, in Instruction i, uint mask)
    {
        ulong* a = warp.ReadLong(i.A, mask), d = warp.WriteLong(i.D, mask);
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            d[lane] = a[lane] + (ulong)i.Offset;
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
        for (var part = 0; part < 2; part++)
        {
            if (i.List[part] < 0)
            {
                continue;
            }

            var d = warp.WriteWord(i.List[part], mask);
            for (var rest = mask; rest != 0; rest &= rest - 1)
            {
                var lane = BitOperations.TrailingZeroCount(rest);
                d[lane] = (a[lane] >> (16 * part)) & 0xFFFF;
            }
        }
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
        for (var part = 0; part < 2; part++)
        {
            if (i.List[part] < 0)
            {
                continue;
            }

            var d = warp.WriteWord(i.List[part], mask);
            for (var rest = mask; rest != 0; rest &= rest - 1)
            {
                var lane = BitOperations.TrailingZeroCount(rest);
                d[lane] = (uint)(a[lane] >> (32 * part));
            }
        }
    }
}
