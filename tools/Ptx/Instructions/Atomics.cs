using System.Numerics;
using System.Runtime.CompilerServices;
using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Syntax;
using Table = System.Collections.Generic.Dictionary<string, System.Func<MASQuant.Ptx.Syntax.Operands, MASQuant.Ptx.Syntax.Instruction>>;

namespace MASQuant.Ptx.Instructions;

/// <summary>Atomic operations on 32-bit words: of global memory, where blocks run on several host threads, and of a block's shared memory.</summary>
internal static unsafe class Atomics
{
    public static void AddTo(Table table)
    {
        table["atom.global.add.u32"] = table["atom.global.add.s32"] = o => Decode(o, (ref uint target, uint value) => Interlocked.Add(ref target, value) - value);
        table["atom.global.exch.b32"] = o => Decode(o, (ref uint target, uint value) => Interlocked.Exchange(ref target, value));
        table["atom.shared.add.u32"] = o => new Instruction { Handler = AddShared, D = o.Word(0), A = o.Address(1).Register, B = o.Address(1).Wide ? 1 : 0, Offset = o.Address(1).Offset, C = o.Word(2) };
    }

    private delegate uint Operation(ref uint target, uint value);

    private static void AddShared(Warp warp, in Instruction i, uint mask)
    {
        MemoryAccess.AddressRegister(warp, in i, mask, out var wide, out var narrow);
        uint* value = warp.ReadWord(i.C, mask), d = warp.WriteWord(i.D, mask);
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            var target = (uint*)warp.Block.Shared.Update(warp, lane, MemoryAccess.Address(in i, wide, narrow, lane));
            (d[lane], *target) = (*target, *target + value[lane]);
        }
    }

    private static Instruction Decode(Operands o, Operation operation)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            warp.Block.Publication.Count(warp);
            MemoryAccess.AddressRegister(warp, in i, mask, out var wide, out var narrow);
            uint* value = warp.ReadWord(i.C, mask), d = warp.WriteWord(i.D, mask);
            for (var rest = mask; rest != 0; rest &= rest - 1)
            {
                var lane = BitOperations.TrailingZeroCount(rest);
                var address = MemoryAccess.Address(in i, wide, narrow, lane);
                if (address % sizeof(uint) != 0)
                {
                    throw new PtxException(PtxFault.Misaligned, $"lane {lane} updates 4 bytes at 0x{address:x}");
                }

                d[lane] = operation(ref Unsafe.AsRef<uint>(warp.Block.Memory.Find(address, sizeof(uint))), value[lane]);
            }
        }

        var (register, isWide, offset) = o.Address(1);
        return new Instruction { Handler = Run, D = o.Word(0), A = register, B = isWide ? 1 : 0, Offset = offset, C = o.Word(2) };
    }
}
