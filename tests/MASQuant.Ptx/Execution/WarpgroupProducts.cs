using MASQuant.Ptx.Instructions;
using MASQuant.Ptx.Syntax;

namespace MASQuant.Ptx.Execution;

/// <summary>The <c>wgmma</c> products that a warp has started. They take place when waited for, the latest moment that the instruction set allows; until then nothing may read their sums, and their A operand must stay.</summary>
internal sealed unsafe class WarpgroupProducts(Warp warp)
{
    private readonly Queue<(Instruction Instruction, uint[] A, ulong Descriptor, int Group)> _products = new();
    private readonly HashSet<int> _sums = [];
    private int _group;
    private bool _fenced;

    public void Clear()
    {
        _products.Clear();
        _sums.Clear();
        (_group, _fenced) = (0, false);
    }

    /// <summary>Orders the registers' writes before the products that follow.</summary>
    public void Fence() => _fenced = true;

    /// <summary>Starts a product; the registers are D, then the four of A.</summary>
    public void Start(in Instruction i, ulong descriptor)
    {
        if (!_fenced)
        {
            throw new PtxException(PtxFault.Race, "wgmma without a wgmma.fence before it");
        }

        warp.Block.Shared.RequireVisible();
        var sums = i.List.AsSpan(0, i.List.Length - 4);
        foreach (var register in sums)
        {
            if (_sums.Add(register))
            {
                warp.ReadWord(register, ~0u);
                warp.ForgetWord(register);
            }
        }

        _products.Enqueue((i, A(i), descriptor, _group));
    }

    /// <summary>Ends the current group.</summary>
    public void Commit() => _group++;

    /// <summary>Completes all but the last <paramref name="pending"/> committed groups.</summary>
    public void Wait(int pending)
    {
        while (_products.TryPeek(out var product) && product.Group < _group - pending)
        {
            _products.Dequeue();
            var sums = product.Instruction.List.AsSpan(0, product.Instruction.List.Length - 4);
            if (!A(product.Instruction).AsSpan().SequenceEqual(product.A))
            {
                throw new PtxException(PtxFault.Race, "a register of wgmma's A operand changed before the product was waited for");
            }

            foreach (var register in sums)
            {
                warp.WriteWord(register, ~0u);
            }

            WarpgroupMultiply.Run(warp, sums, product.A, product.Descriptor);
            foreach (var register in sums)
            {
                warp.ForgetWord(register);
            }
        }

        if (_products.Count == 0)
        {
            foreach (var register in _sums)
            {
                warp.WriteWord(register, ~0u);
            }

            _sums.Clear();
            _fenced = false;
        }
    }

    private uint[] A(in Instruction i)
    {
        var values = new uint[4 * Warp.Lanes];
        for (var r = 0; r < 4; r++)
        {
            new ReadOnlySpan<uint>(warp.ReadWord(i.List[i.List.Length - 4 + r], ~0u), Warp.Lanes).CopyTo(values.AsSpan(r * Warp.Lanes));
        }

        return values;
    }
}
