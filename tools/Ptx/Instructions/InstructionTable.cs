using MASQuant.Ptx.Execution;
using MASQuant.Ptx.Syntax;

namespace MASQuant.Ptx.Instructions;

/// <summary>What each operation does, by its name without the modifiers that only concern speed.</summary>
internal static class InstructionTable
{
    private static readonly Dictionary<string, Func<Operands, Instruction>> Table = Build();

    private static readonly string[] Hints =
    [
        ".nc", ".uni", ".L1::no_allocate", ".L1::evict_last", ".L2::128B", ".L2::256B", ".relaxed", ".gpu", ".cta", ".aligned", ".volatile", ".acquire", ".release",
    ];

    public static Instruction Decode(string operation, Operands operands)
    {
        var name = operation;
        foreach (var hint in Hints)
        {
            name = name.Replace(hint, "", StringComparison.Ordinal);
        }

        return Table.TryGetValue(name, out var decode) ? decode(operands) : throw new PtxException(PtxFault.Unknown, $"operation {operation}");
    }

    private static Dictionary<string, Func<Operands, Instruction>> Build()
    {
        var table = new Dictionary<string, Func<Operands, Instruction>>
        {
            ["bra"] = _ => new Instruction { Flow = Flow.Branch, Handler = Nothing },
            ["ret"] = _ => new Instruction { Flow = Flow.Exit, Handler = Nothing },
            ["exit"] = _ => new Instruction { Flow = Flow.Exit, Handler = Nothing },
            ["bar.sync"] = BlockBarrier,
            ["barrier.sync"] = BlockBarrier,
            ["membar.gl"] = _ => new Instruction { Handler = Fence },
            ["fence.acq_rel"] = _ => new Instruction { Handler = Fence },
        };
        WordArithmetic.AddTo(table);
        LongArithmetic.AddTo(table);
        FloatArithmetic.AddTo(table);
        WideArithmetic.AddTo(table);
        Comparisons.AddTo(table);
        Conversions.AddTo(table);
        Moves.AddTo(table);
        MemoryAccess.AddTo(table);
        Atomics.AddTo(table);
        AsyncCopying.AddTo(table);
        WarpExchange.AddTo(table);
        MatrixMultiply.AddTo(table);
        WarpgroupMultiply.AddTo(table);
        PhaseBarrierUse.AddTo(table);
        return table;
    }

    private static Instruction BlockBarrier(Operands operands)
        => operands.Count == 1 && operands[0] == "0"
            ? new Instruction { Flow = Flow.Barrier, Handler = Nothing }
            : throw new PtxException(PtxFault.Unknown, "only barrier 0 of the whole block is known");

    private static void Fence(Warp warp, in Instruction instruction, uint mask) => warp.Block.Publication.Fence(warp);

    private static void Nothing(Warp warp, in Instruction instruction, uint mask)
    {
    }
}
