using System.Numerics;
using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Syntax;
using Table = System.Collections.Generic.Dictionary<string, System.Func<MASQuant.Ptx.Syntax.Operands, MASQuant.Ptx.Syntax.Instruction>>;

namespace MASQuant.Ptx.Instructions;

/// <summary><c>mbarrier</c> and what goes with it: bulk copies that report to one, the fences that publish it, and <c>setmaxnreg</c>.</summary>
internal static unsafe class PhaseBarrierUse
{
    private const int MinRegisters = 24;
    private const int MaxRegisters = 256;
    private const int RegisterUnit = 8;

    public static void AddTo(Table table)
    {
        table["mbarrier.init.shared::cta.b64"] = o => Decode(o, Initialize, 0, value: 1);
        table["mbarrier.arrive.shared::cta.b64"] = o => Decode(o, Arrive, 1);
        table["mbarrier.arrive.expect_tx.shared::cta.b64"] = o => Decode(o, Arrive, 1, value: 2);
        table["mbarrier.try_wait.parity.shared::cta.b64"] = table["mbarrier.test_wait.parity.shared::cta.b64"] = DecodeWait;
        table["fence.mbarrier_init.cluster"] = _ => new Instruction { Handler = (Warp warp, in Instruction i, uint mask) => warp.Block.Barriers.Publish(warp, toCopies: false) };
        table["fence.proxy.async.shared::cta"] = _ => new Instruction { Handler = FenceAsync };
        table["cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes"] = DecodeCopy;
        table["setmaxnreg.inc.sync.u32"] = o => new Instruction { Flow = Flow.WarpWide, Handler = SetRegisters, Size = o.Integer(0), B = 1 };
        table["setmaxnreg.dec.sync.u32"] = o => new Instruction { Flow = Flow.WarpWide, Handler = SetRegisters, Size = o.Integer(0), B = -1 };
    }

    private static Instruction Decode(Operands o, Handler handler, int address, int value = -1, Flow flow = Flow.Next)
    {
        if (address == 1 && o[0] != "_")
        {
            throw new PtxException(PtxFault.Unknown, "the state of an mbarrier");
        }

        var (register, wide, offset) = o.Address(address);
        return new Instruction { Flow = flow, Handler = handler, A = register, B = wide ? 1 : 0, Offset = offset, C = value < 0 ? -1 : o.Word(value) };
    }

    private static Instruction DecodeWait(Operands o)
    {
        var (register, wide, offset) = o.Address(1);
        return new Instruction { Flow = Flow.Wait, Handler = TryWait, D = o.Predicate(0), A = register, B = wide ? 1 : 0, Offset = offset, C = o.Word(2) };
    }

    private static Instruction DecodeCopy(Operands o)
    {
        var (target, targetWide, targetOffset) = o.Address(0);
        var (source, sourceWide, sourceOffset) = o.Address(1);
        var (barrier, barrierWide, barrierOffset) = o.Address(3);
        return targetWide || barrierWide || !sourceWide || targetOffset != 0 || barrierOffset != 0
            ? throw new PtxException(PtxFault.Unknown, "cp.async.bulk address")
            : new Instruction { Handler = Copy, D = target, A = source, Offset = sourceOffset, B = o.Word(2), C = barrier };
    }

    private static void Initialize(Warp warp, in Instruction i, uint mask)
    {
        var lane = Single(mask);
        warp.Block.Barriers.Initialize(warp, lane, Address(warp, in i, mask), warp.ReadWord(i.C, mask)[lane]);
    }

    private static void Arrive(Warp warp, in Instruction i, uint mask)
    {
        var lane = BitOperations.TrailingZeroCount(mask);
        var bytes = i.C < 0 ? 0 : warp.ReadWord(i.C, mask)[lane];
        warp.Block.Barriers.Find(warp, Address(warp, in i, mask)).Arrive(warp, mask, bytes);
    }

    /// <summary>The first attempt in vain tells the program so and lets other warps run; it is the program that must ask again.</summary>
    private static void TryWait(Warp warp, in Instruction i, uint mask)
    {
        var barrier = warp.Block.Barriers.Find(warp, Address(warp, in i, mask));
        var parity = warp.ReadWord(i.C, mask)[BitOperations.TrailingZeroCount(mask)];
        var passed = barrier.HasPassed(parity & 1);
        warp.WritePredicate(i.D, passed ? ~0u : 0, mask);
        if (passed)
        {
            barrier.Pass(warp, mask);
        }
        else
        {
            warp.Waiting = (barrier, parity & 1);
        }
    }

    private static void Copy(Warp warp, in Instruction i, uint mask)
    {
        uint* target = warp.ReadWord(i.D, mask), bytes = warp.ReadWord(i.B, mask), barrier = warp.ReadWord(i.C, mask);
        var source = warp.ReadLong(i.A, mask);
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            warp.Block.Barriers.Copy(warp, lane, target[lane], source[lane] + (ulong)i.Offset, bytes[lane], barrier[lane]);
        }
    }

    private static void FenceAsync(Warp warp, in Instruction i, uint mask)
    {
        warp.Block.Shared.MakeVisible(warp);
        warp.Block.Barriers.Publish(warp, toCopies: true);
    }

    /// <summary>An increase waits until others have given back enough: the block counts, and whether that ever happens shows when all stand still.</summary>
    private static void SetRegisters(Warp warp, in Instruction i, uint mask)
    {
        if (i.Size is < MinRegisters or > MaxRegisters || i.Size % RegisterUnit != 0 || (i.Size - warp.Registers) * i.B < 0)
        {
            throw new PtxException(PtxFault.Unknown, $"from {warp.Registers} to {i.Size} registers");
        }

        warp.Block.FreeRegisters += (warp.Registers - i.Size) * Warp.Lanes;
        warp.Registers = i.Size;
    }

    private static int Single(uint mask) => BitOperations.IsPow2(mask)
        ? BitOperations.TrailingZeroCount(mask)
        : throw new PtxException(PtxFault.InvalidBarrier, "several lanes initialize one mbarrier");

    /// <summary>The barrier that all lanes of the mask name.</summary>
    private static ulong Address(Warp warp, in Instruction i, uint mask)
    {
        MemoryAccess.AddressRegister(warp, in i, mask, out var wide, out var narrow);
        var address = MemoryAccess.Address(in i, wide, narrow, BitOperations.TrailingZeroCount(mask));
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            if (MemoryAccess.Address(in i, wide, narrow, BitOperations.TrailingZeroCount(rest)) != address)
            {
                throw new PtxException(PtxFault.Unknown, "lanes that use different mbarriers at once");
            }
        }

        return address % sizeof(ulong) == 0 ? address : throw new PtxException(PtxFault.Misaligned, $"an mbarrier at {address}");
    }
}
