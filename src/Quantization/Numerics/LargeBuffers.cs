using System.Runtime.CompilerServices;

namespace MASQuant.Quantization.Numerics;

/// <summary>Keeps garbage small while matrices of a gigabyte come and go. Left alone, the runtime collects large objects when they have grown by a share of what is in use: at 6 GB in use, 10 GB of garbage are nothing to it.
/// Here a full collection, milliseconds where so few objects are in use, is made as soon as memory has grown by <see cref="MaxGarbage"/> since the last. Models that never use so much never meet it.</summary>
internal static class LargeBuffers
{
    /// <summary>The setting of <see cref="AppContext"/> that a process may give before it quantizes, for another <see cref="MaxGarbage"/>.</summary>
    public const string MaxGarbageSetting = "MASQuant.Quantization.MaxGarbage";

    // Smaller buffers are not worth a look; together they are noticed at the next large one.
    private const long Noticed = 1 << 20;
    private static readonly Lock Gate = new();
    private static long _inUse;

    /// <summary>How far managed memory may grow between collections, in bytes.</summary>
    public static long MaxGarbage { get; } = AppContext.GetData(MaxGarbageSetting) as long? ?? 1L << 28;

    /// <summary>The most bytes seen in use right after a collection, together with the buffer it made room for.</summary>
    public static long Peak { get; private set; }

    /// <summary>Makes room for a buffer of <paramref name="count"/> elements: to be called before it is allocated.</summary>
    public static void Reserve<T>(long count)
        where T : unmanaged
    {
        var bytes = count * Unsafe.SizeOf<T>();
        if (bytes >= Noticed)
        {
            Collect(bytes);
        }
    }

    /// <summary>Collects when memory has grown by much, whatever it grew by: to be called where a step has ended.</summary>
    public static void Reclaim() => Collect(0);

    /// <summary>Collects what a finished run of steps left, unless it cannot be much.</summary>
    public static void ReclaimAll()
    {
        lock (Gate)
        {
            _inUse = 0;
        }

        Collect(0);
    }

    private static void Collect(long wanted)
    {
        lock (Gate)
        {
            var held = GC.GetTotalMemory(forceFullCollection: false);
            if (held + wanted - _inUse > MaxGarbage)
            {
#pragma warning disable RS0030 // The one place: without it a 7B layer held 19.7 GB instead of 6. Nothing is moved, and nothing given back to the system: new pages cost more than a collection.
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: false);
#pragma warning restore RS0030
                held = GC.GetTotalMemory(forceFullCollection: false);
                _inUse = held;
                Peak = Math.Max(Peak, held + wanted);
            }

            _inUse = Math.Min(_inUse, held);
        }
    }
}
