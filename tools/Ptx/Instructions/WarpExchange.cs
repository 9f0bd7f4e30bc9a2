using System.Numerics;
using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Syntax;
using Table = System.Collections.Generic.Dictionary<string, System.Func<MASQuant.Ptx.Syntax.Operands, MASQuant.Ptx.Syntax.Instruction>>;

namespace MASQuant.Ptx.Instructions;

/// <summary>Operations between the lanes of a warp. All 32 take part: the kernels name no smaller group.</summary>
internal static unsafe class WarpExchange
{
    public static void AddTo(Table table)
    {
        table["shfl.sync.bfly.b32"] = o => Shuffle(o, (lane, b) => lane ^ b);
        table["shfl.sync.idx.b32"] = o => Shuffle(o, (_, b) => b & 31);
        table["shfl.sync.down.b32"] = o => Shuffle(o, (lane, b) => lane + b > 31 ? lane : lane + b);
        table["shfl.sync.up.b32"] = o => Shuffle(o, (lane, b) => lane - b < 0 ? lane : lane - b);
        table["vote.sync.ballot.b32"] = o => new Instruction { Flow = Flow.WarpWide, Handler = Ballot, D = o.Word(0), A = o.Predicate(1) };
        table["vote.sync.any.pred"] = o => new Instruction { Flow = Flow.WarpWide, Handler = Any, D = o.Predicate(0), A = o.Predicate(1) };
        table["bar.warp.sync"] = _ => new Instruction { Flow = Flow.WarpWide, Handler = (Warp warp, in Instruction i, uint mask) => warp.Meet() };
    }

    private static Instruction Shuffle(Operands o, Func<int, int, int> sourceOf)
    {
        void Run(Warp warp, in Instruction i, uint mask)
        {
            uint* a = warp.ReadWord(i.A, mask), b = warp.ReadWord(i.B, mask), d = warp.WriteWord(i.D, mask);
            var values = stackalloc uint[Warp.Lanes];
            new ReadOnlySpan<uint>(a, Warp.Lanes).CopyTo(new Span<uint>(values, Warp.Lanes));
            for (var lane = 0; lane < Warp.Lanes; lane++)
            {
                d[lane] = values[sourceOf(lane, (int)b[lane]) & 31];
            }
        }

        if (o[3] is not ("31" or "0" or "0x1f"))
        {
            throw new PtxException(PtxFault.Unknown, $"shuffle within segments, {o[3]}");
        }

        return new Instruction { Flow = Flow.WarpWide, Handler = Run, D = o.Word(0), A = o.Word(1), B = o.Word(2) };
    }

    private static void Ballot(Warp warp, in Instruction i, uint mask)
    {
        var value = warp.ReadPredicate(i.A, mask) & mask;
        new Span<uint>(warp.WriteWord(i.D, mask), Warp.Lanes).Fill(value);
    }

    private static void Any(Warp warp, in Instruction i, uint mask)
        => warp.WritePredicate(i.D, BitOperations.PopCount(warp.ReadPredicate(i.A, mask) & mask) > 0 ? ~0u : 0, mask);
}
