using MASQuant.Ptx.Instructions;
using MASQuant.Ptx.Syntax;

namespace MASQuant.Ptx.Execution;

/// <summary>The <c>wgmma</c> products that a warp has started. They take place when waited for, the latest moment that the instruction set allows; until then nothing may touch their sums, and their A
/// operand must stay. Registers that are written after the last <c>wgmma.fence</c> may not be used; sums that products in flight hand on may.</summary>
internal sealed unsafe class WarpgroupProducts
{
    private readonly Warp _warp;
    private readonly Queue<(Instruction Instruction, uint[] A, ulong Descriptor, int Group)> _products = new();
    private readonly HashSet<int> _sums = [];
    private readonly Dictionary<int, uint[]> _fenced;
    private int _group;
    private bool _isFenced;

    public WarpgroupProducts(Warp warp, PtxEntry entry)
    {
        _warp = warp;
        _fenced = entry.Code.Where(instruction => WarpgroupMultiply.IsProduct(in instruction)).SelectMany(instruction => instruction.List).Distinct().ToDictionary(register => register, _ => new uint[Warp.Lanes]);
    }

    public void Clear()
    {
        _products.Clear();
        _sums.Clear();
        (_group, _isFenced) = (0, false);
    }

    /// <summary>Orders the registers' writes before the products that follow.</summary>
    public void Fence()
    {
        _isFenced = true;
        foreach (var (register, values) in _fenced)
        {
            if (!_sums.Contains(register))
            {
                new ReadOnlySpan<uint>(_warp.WriteWord(register, 0), Warp.Lanes).CopyTo(values);
            }
        }
    }

    /// <summary>Starts a product; the registers are D, then the four of A.</summary>
    public void Start(in Instruction i, ulong descriptor)
    {
        if (!_isFenced)
        {
            throw new PtxException(PtxFault.Race, "wgmma without a wgmma.fence before it");
        }

        _warp.Block.Shared.RequireVisible();
        var a = A(i);
        foreach (var register in Sums(i))
        {
            if (_sums.Add(register))
            {
                RequireFenced(register);
                _warp.ForgetWord(register);
            }
        }

        foreach (var register in i.List.AsSpan(i.List.Length - 4))
        {
            RequireFenced(register);
        }

        _products.Enqueue((i, a, descriptor, _group));
    }

    /// <summary>Ends the current group.</summary>
    public void Commit() => _group++;

    /// <summary>Completes all but the last <paramref name="pending"/> committed groups.</summary>
    public void Wait(int pending)
    {
        while (_products.TryPeek(out var product) && product.Group < _group - pending)
        {
            _products.Dequeue();
            Complete(product.Instruction, product.A, product.Descriptor);
        }

        if (_products.Count == 0)
        {
            foreach (var register in _sums)
            {
                _warp.WriteWord(register, ~0u);
            }

            _sums.Clear();
            _isFenced = false;
        }
    }

    private void Complete(in Instruction i, uint[] a, ulong descriptor)
    {
        if (!A(i).AsSpan().SequenceEqual(a))
        {
            throw new PtxException(PtxFault.Race, "a register of wgmma's A operand changed before the product was waited for");
        }

        foreach (var register in Sums(i))
        {
            if (!_warp.IsForgotten(register))
            {
                throw new PtxException(PtxFault.Race, "a sum of wgmma was written before the product was waited for");
            }
        }

        WarpgroupMultiply.Run(_warp, Sums(i), a, descriptor);
    }

    private static ReadOnlySpan<int> Sums(in Instruction i) => i.List.AsSpan(0, i.List.Length - 4);

    private void RequireFenced(int register)
    {
        if (!new ReadOnlySpan<uint>(_warp.ReadWord(register, ~0u), Warp.Lanes).SequenceEqual(_fenced[register]))
        {
            throw new PtxException(PtxFault.Race, "a register of wgmma was written after the last wgmma.fence");
        }
    }

    private uint[] A(in Instruction i)
    {
        var values = new uint[4 * Warp.Lanes];
        for (var r = 0; r < 4; r++)
        {
            new ReadOnlySpan<uint>(_warp.ReadWord(i.List[i.List.Length - 4 + r], ~0u), Warp.Lanes).CopyTo(values.AsSpan(r * Warp.Lanes));
        }

        return values;
    }
}
