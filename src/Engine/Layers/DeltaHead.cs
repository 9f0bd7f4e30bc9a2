using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Layers;

/// <summary>A block of one head's state under the gated delta rule, token after token: S ← γS + k ⊗ β(v − γkᵀS), then qᵀS. Each value's terms have one order, wherever a pass begins or ends.</summary>
internal static class DeltaHead
{
    private const int Columns = DeltaRuleStep.ValueBlock;

    /// <summary>Takes one token.</summary>
    /// <param name="before">[d_k, 32], row-major.</param>
    /// <param name="after">The same behind the token; it may be <paramref name="before"/>.</param>
    /// <param name="query">d_k values.</param>
    /// <param name="key">d_k values.</param>
    /// <param name="value">32 values.</param>
    /// <param name="decay">γ.</param>
    /// <param name="strength">β.</param>
    /// <param name="output">32 values, overwritten.</param>
    // On its own, so that the JIT keeps the state's lanes in registers.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Take(ReadOnlySpan<float> before, Span<float> after, ReadOnlySpan<float> query, ReadOnlySpan<float> key, ReadOnlySpan<float> value, float decay, float strength, Span<float> output)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(before.Length, key.Length * Columns);
        ArgumentOutOfRangeException.ThrowIfLessThan(after.Length, key.Length * Columns);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Length, key.Length);
        ref var from = ref MemoryMarshal.GetReference(before);
        ref var to = ref MemoryMarshal.GetReference(after);
        ref var q = ref MemoryMarshal.GetReference(query);
        ref var k = ref MemoryMarshal.GetReference(key);

        // Even and odd rows apart: a sum waits for itself otherwise.
        var (even, evenHigh, odd, oddHigh) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        var row = 0;
        for (; row < key.Length - 1; row += 2)
        {
            var (first, second) = (Vector512.Create(Unsafe.Add(ref k, row)), Vector512.Create(Unsafe.Add(ref k, row + 1)));
            even = Vector512.FusedMultiplyAdd(Load(ref from, row, 0), first, even);
            evenHigh = Vector512.FusedMultiplyAdd(Load(ref from, row, Lanes.Count), first, evenHigh);
            odd = Vector512.FusedMultiplyAdd(Load(ref from, row + 1, 0), second, odd);
            oddHigh = Vector512.FusedMultiplyAdd(Load(ref from, row + 1, Lanes.Count), second, oddHigh);
        }

        if (row < key.Length)
        {
            var last = Vector512.Create(Unsafe.Add(ref k, row));
            even = Vector512.FusedMultiplyAdd(Load(ref from, row, 0), last, even);
            evenHigh = Vector512.FusedMultiplyAdd(Load(ref from, row, Lanes.Count), last, evenHigh);
        }

        var (stays, writes) = (Vector512.Create(decay), Vector512.Create(strength));
        var low = (Lanes.Load(value, 0) - ((even + odd) * stays)) * writes;
        var high = (Lanes.Load(value, Lanes.Count) - ((evenHigh + oddHigh) * stays)) * writes;
        (even, evenHigh, odd, oddHigh) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        for (row = 0; row < key.Length - 1; row += 2)
        {
            var (first, second) = (Vector512.Create(Unsafe.Add(ref k, row)), Vector512.Create(Unsafe.Add(ref k, row + 1)));
            var (a, b) = (Vector512.FusedMultiplyAdd(first, low, Load(ref from, row, 0) * stays), Vector512.FusedMultiplyAdd(first, high, Load(ref from, row, Lanes.Count) * stays));
            var (c, d) = (Vector512.FusedMultiplyAdd(second, low, Load(ref from, row + 1, 0) * stays), Vector512.FusedMultiplyAdd(second, high, Load(ref from, row + 1, Lanes.Count) * stays));
            Store(a, ref to, row, 0);
            Store(b, ref to, row, Lanes.Count);
            Store(c, ref to, row + 1, 0);
            Store(d, ref to, row + 1, Lanes.Count);
            var (reads, readsNext) = (Vector512.Create(Unsafe.Add(ref q, row)), Vector512.Create(Unsafe.Add(ref q, row + 1)));
            even = Vector512.FusedMultiplyAdd(a, reads, even);
            evenHigh = Vector512.FusedMultiplyAdd(b, reads, evenHigh);
            odd = Vector512.FusedMultiplyAdd(c, readsNext, odd);
            oddHigh = Vector512.FusedMultiplyAdd(d, readsNext, oddHigh);
        }

        if (row < key.Length)
        {
            var (last, reads) = (Vector512.Create(Unsafe.Add(ref k, row)), Vector512.Create(Unsafe.Add(ref q, row)));
            var (a, b) = (Vector512.FusedMultiplyAdd(last, low, Load(ref from, row, 0) * stays), Vector512.FusedMultiplyAdd(last, high, Load(ref from, row, Lanes.Count) * stays));
            Store(a, ref to, row, 0);
            Store(b, ref to, row, Lanes.Count);
            even = Vector512.FusedMultiplyAdd(a, reads, even);
            evenHigh = Vector512.FusedMultiplyAdd(b, reads, evenHigh);
        }

        Lanes.Store(even + odd, output, 0);
        Lanes.Store(evenHigh + oddHigh, output, Lanes.Count);
    }

    private static Vector512<float> Load(ref float block, int row, int column) => Vector512.LoadUnsafe(ref block, (nuint)((row * Columns) + column));

    private static void Store(Vector512<float> lanes, ref float block, int row, int column) => lanes.StoreUnsafe(ref block, (nuint)((row * Columns) + column));
}
