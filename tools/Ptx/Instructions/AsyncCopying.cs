using System.Numerics;
using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Syntax;
using Table = System.Collections.Generic.Dictionary<string, System.Func<MASQuant.Ptx.Syntax.Operands, MASQuant.Ptx.Syntax.Instruction>>;

namespace MASQuant.Ptx.Instructions;

/// <summary><c>cp.async</c>: copies from global to shared memory that arrive when waited for.</summary>
internal static unsafe class AsyncCopying
{
    public static void AddTo(Table table)
    {
        table["cp.async.cg.shared.global"] = table["cp.async.ca.shared.global"] = Copy;
        table["cp.async.commit_group"] = _ => new Instruction { Handler = (Warp warp, in Instruction i, uint mask) => warp.Copies.Commit(mask) };
        table["cp.async.wait_group"] = o => new Instruction { Handler = (Warp warp, in Instruction i, uint mask) => warp.Copies.Wait(mask, i.Size), Size = o.Integer(0) };
        table["cp.async.wait_all"] = _ => new Instruction
        {
            Handler = (Warp warp, in Instruction i, uint mask) =>
            {
                warp.Copies.Commit(mask);
                warp.Copies.Wait(mask, 0);
            },
        };
    }

    private static Instruction Copy(Operands o)
    {
        var (target, targetWide, targetOffset) = o.Address(0);
        var (source, sourceWide, sourceOffset) = o.Address(1);
        if (targetOffset != 0 || !sourceWide)
        {
            throw new PtxException(PtxFault.Unknown, "cp.async address");
        }

        return new Instruction
        {
            Handler = Run,
            D = target,
            B = targetWide ? 1 : 0,
            A = source,
            Offset = sourceOffset,
            Size = o.Integer(2),
            C = o.Count > 3 ? o.Word(3) : -1,
        };
    }

    private static void Run(Warp warp, in Instruction i, uint mask)
    {
        var narrow = i.B == 0 ? warp.ReadWord(i.D, mask) : null;
        var wide = i.B == 1 ? warp.ReadLong(i.D, mask) : null;
        var source = warp.ReadLong(i.A, mask);
        var read = i.C < 0 ? null : warp.ReadWord(i.C, mask);
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            var target = wide != null ? wide[lane] : narrow[lane];
            var from = source[lane] + (ulong)i.Offset;
            if (target % (ulong)i.Size != 0 || from % (ulong)i.Size != 0)
            {
                throw new PtxException(PtxFault.Misaligned, $"lane {lane} copies {i.Size} bytes from 0x{from:x} to shared address {target}");
            }

            warp.Copies.Start(lane, target, from, i.Size, read == null ? i.Size : (int)Math.Min(read[lane], (uint)i.Size));
        }
    }
}
