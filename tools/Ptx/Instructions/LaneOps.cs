using System.Runtime.Intrinsics;

namespace MASQuant.Ptx.Instructions;

/// <summary>Applies an operation to all lanes of a register and keeps the result where the mask says so; computing the others is harmless.</summary>
internal static unsafe class LaneOps
{
    private static readonly Vector512<uint> Bits = Vector512.Create(1u, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);
    private static readonly Vector512<ulong> LongBits = Vector512.Create(1ul, 2, 4, 8, 16, 32, 64, 128);

    /// <summary>Applies an operation lane by lane, where the mask says so.</summary>
    public static void Map<TSource, TTarget>(TSource* source, TTarget* target, uint mask, Func<TSource, TTarget> operation)
        where TSource : unmanaged
        where TTarget : unmanaged
    {
        for (var rest = mask; rest != 0; rest &= rest - 1)
        {
            var lane = System.Numerics.BitOperations.TrailingZeroCount(rest);
            target[lane] = operation(source[lane]);
        }
    }

    public static void Store(Vector512<uint> value, uint* target, uint mask)
    {
        if ((mask & 0xFFFF) == 0xFFFF)
        {
            value.Store(target);
        }
        else
        {
            var bits = Vector512.Create(mask & 0xFFFF);
            Vector512.ConditionalSelect(Vector512.Equals(bits & Bits, Bits), value, Vector512.Load(target)).Store(target);
        }
    }

    public static void Store(Vector512<ulong> value, ulong* target, uint mask)
    {
        if ((mask & 0xFF) == 0xFF)
        {
            value.Store(target);
        }
        else
        {
            var bits = Vector512.Create((ulong)(mask & 0xFF));
            Vector512.ConditionalSelect(Vector512.Equals(bits & LongBits, LongBits), value, Vector512.Load(target)).Store(target);
        }
    }
}
