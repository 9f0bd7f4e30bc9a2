using System.Numerics;
using System.Runtime.CompilerServices;
using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Memory;
using MASQuant.Ptx.Syntax;
using Table = System.Collections.Generic.Dictionary<string, System.Func<MASQuant.Ptx.Syntax.Operands, MASQuant.Ptx.Syntax.Instruction>>;

namespace MASQuant.Ptx.Instructions;

/// <summary>Loads and stores of one, two or four elements.</summary>
internal static unsafe class MemoryAccess
{
    private const int MaxElements = 4;
    private const int LongTarget = 1;
    private const int Signed = 2;

    public static void AddTo(Table table)
    {
        foreach (var (vector, count) in (ReadOnlySpan<(string, int)>)[("", 1), (".v2", 2), (".v4", 4)])
        {
            foreach (var type in (string[])["b8", "u8", "s8", "b16", "u16", "s16", "b32", "u32", "s32", "f32", "b64", "u64", "s64"])
            {
                var size = int.Parse(type.AsSpan(1)) / 8;
                var kind = size == 8 ? RegisterKind.Long : RegisterKind.Word;
                var signed = type[0] == 's';
                foreach (var space in (string[])["global", "shared", ""])
                {
                    var (load, store) = ($"ld.{space}{vector}.{type}".Replace("..", ".", StringComparison.Ordinal), $"st.{space}{vector}.{type}".Replace("..", ".", StringComparison.Ordinal));
                    table[load] = o => Decode(o, 1, 0, Load, space, kind, size, signed);
                    table[store] = o => Decode(o, 0, 1, Store, space, kind, size, false);
                }

                table[$"ld.param{vector}.{type}"] = o => new Instruction { Handler = LoadParameter, List = o.Vector(0, kind), Offset = o.Parameter(1), Size = size, C = kind == RegisterKind.Long ? LongTarget : 0 };
            }
        }
    }

    /// <summary>The address of a lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Address(in Instruction i, ulong* wide, uint* narrow, int lane)
        => (ulong)i.Offset + (wide != null ? wide[lane] : narrow != null ? narrow[lane] : 0);

    public static void AddressRegister(Warp warp, in Instruction i, uint mask, out ulong* wide, out uint* narrow)
    {
        wide = i.A >= 0 && (i.B & 1) != 0 ? warp.ReadLong(i.A, mask) : null;
        narrow = i.A >= 0 && (i.B & 1) == 0 ? warp.ReadWord(i.A, mask) : null;
    }

    private static Instruction Decode(Operands o, int address, int values, Handler handler, string space, RegisterKind kind, int size, bool signed)
    {
        var (register, wide, offset) = o.Address(address);

        // A register may be wider than the element that is loaded into it.
        kind = handler == Load && o[values][0] != '{' ? o.KindOf(values) ?? kind : kind;
        return new Instruction
        {
            Handler = handler,
            List = o.Vector(values, kind),
            A = register,
            B = (wide ? 1 : 0) | (space == "shared" ? 2 : space == "global" ? 4 : 0),
            Offset = offset,
            Size = size,
            C = (kind == RegisterKind.Long ? LongTarget : 0) | (signed ? Signed : 0),
        };
    }

    private static void Load(Warp warp, in Instruction i, uint mask)
    {
        AddressRegister(warp, in i, mask, out var wide, out var narrow);
        var targets = stackalloc void*[MaxElements];
        for (var e = 0; e < i.List.Length; e++)
        {
            targets[e] = i.List[e] < 0 ? null : (i.C & LongTarget) != 0 ? warp.WriteLong(i.List[e], mask) : warp.WriteWord(i.List[e], mask);
        }

        var bytes = i.Size * i.List.Length;
        Allocation? last = null;
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            var source = Locate(warp, in i, lane, Address(in i, wide, narrow, lane), bytes, false, ref last);
            for (var e = 0; e < i.List.Length; e++)
            {
                if (targets[e] != null)
                {
                    Put(targets[e], lane, source + (e * i.Size), in i);
                }
            }
        }
    }

    private static void Put(void* target, int lane, byte* source, in Instruction i)
    {
        var value = i.Size switch
        {
            8 => *(ulong*)source,
            4 => (i.C & Signed) != 0 ? (ulong)*(int*)source : *(uint*)source,
            2 => (i.C & Signed) != 0 ? (ulong)*(short*)source : *(ushort*)source,
            _ => (i.C & Signed) != 0 ? (ulong)*(sbyte*)source : *source,
        };
        if ((i.C & LongTarget) != 0)
        {
            ((ulong*)target)[lane] = value;
        }
        else
        {
            ((uint*)target)[lane] = (uint)value;
        }
    }

    private static void Store(Warp warp, in Instruction i, uint mask)
    {
        AddressRegister(warp, in i, mask, out var wide, out var narrow);
        var sources = stackalloc void*[MaxElements];
        for (var e = 0; e < i.List.Length; e++)
        {
            sources[e] = (i.C & LongTarget) != 0 ? warp.ReadLong(i.List[e], mask) : warp.ReadWord(i.List[e], mask);
        }

        var bytes = i.Size * i.List.Length;
        Allocation? last = null;
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            var target = Locate(warp, in i, lane, Address(in i, wide, narrow, lane), bytes, true, ref last);
            for (var e = 0; e < i.List.Length; e++, target += i.Size)
            {
                switch (i.Size)
                {
                    case 8:
                        *(ulong*)target = ((ulong*)sources[e])[lane];
                        break;
                    case 4:
                        *(uint*)target = ((uint*)sources[e])[lane];
                        break;
                    case 2:
                        *(ushort*)target = (ushort)((uint*)sources[e])[lane];
                        break;
                    default:
                        *target = (byte)((uint*)sources[e])[lane];
                        break;
                }
            }
        }
    }

    /// <summary>The host address of an access, checked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Locate(Warp warp, in Instruction i, int lane, ulong address, int bytes, bool writes, ref Allocation? last)
    {
        if ((address & (ulong)(bytes - 1)) != 0)
        {
            throw new PtxException(PtxFault.Misaligned, $"lane {lane} accesses {bytes} bytes at 0x{address:x}");
        }

        var shared = (i.B & 2) != 0;
        if ((i.B & 6) == 0 && address is >= Moves.SharedWindow and < Moves.SharedWindow + (1 << 20))
        {
            (shared, address) = (true, address - Moves.SharedWindow);
        }

        if (shared)
        {
            return writes ? warp.Block.Shared.Write(warp, lane, address, bytes) : warp.Block.Shared.Read(warp, lane, address, bytes);
        }

        if (writes)
        {
            warp.Block.Publication.Store(warp);
        }

        if (last is null || address < last.Start || address + (ulong)bytes > last.Start + (ulong)last.Bytes)
        {
            last = warp.Block.Memory.Covering(address, bytes);
        }

        return last.Host + (address - last.Start);
    }

    private static void LoadParameter(Warp warp, in Instruction i, uint mask)
    {
        for (var e = 0; e < i.List.Length; e++)
        {
            fixed (byte* arguments = warp.Block.Arguments)
            {
                var source = arguments + i.Offset + (e * i.Size);
                void* target = (i.C & LongTarget) != 0 ? warp.WriteLong(i.List[e], mask) : warp.WriteWord(i.List[e], mask);
                for (var rest = mask; rest != 0; rest &= rest - 1)
                {
                    Put(target, BitOperations.TrailingZeroCount(rest), source, in i);
                }
            }
        }
    }
}
