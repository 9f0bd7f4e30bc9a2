using System.Runtime.CompilerServices;

namespace MASQuant.Ptx.Memory;

/// <summary>The device's memory: allocations with gaps between them, so that an access past the end of one meets none.</summary>
internal sealed unsafe class GlobalMemory
{
    private const ulong First = 0x7_0000_0000;
    private const ulong Gap = 4096;
    private readonly Lock _lock = new();
    private Allocation[] _allocations = [];
    private ulong _next = First;

    /// <summary>Reserves memory, every byte 0xFF: a NaN wherever it is read before it is written.</summary>
    public Allocation Allocate(long bytes)
    {
        lock (_lock)
        {
            var allocation = new Allocation(_next, bytes);
            _next += ((ulong)bytes + Gap + Gap) & ~(Gap - 1);
            _allocations = [.. _allocations, allocation];
            return allocation;
        }
    }

    /// <summary>Ends an allocation.</summary>
    public void Free(Allocation allocation)
    {
        lock (_lock)
        {
            _allocations = [.. _allocations.Where(other => other != allocation)];
        }

        allocation.Release();
    }

    /// <summary>The host address of <paramref name="bytes"/> bytes at <paramref name="address"/>.</summary>
    public byte* Find(ulong address, long bytes)
    {
        var allocation = Covering(address, bytes);
        return allocation.Host + (address - allocation.Start);
    }

    /// <summary>The allocation that holds <paramref name="bytes"/> bytes at <paramref name="address"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Allocation Covering(ulong address, long bytes)
    {
        var allocations = _allocations;
        var (low, high) = (0, allocations.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >> 1;
            var allocation = allocations[middle];
            if (address < allocation.Start)
            {
                high = middle - 1;
            }
            else if (address >= allocation.Start + (ulong)allocation.Bytes)
            {
                low = middle + 1;
            }
            else if (address + (ulong)bytes <= allocation.Start + (ulong)allocation.Bytes)
            {
                return allocation;
            }
            else
            {
                break;
            }
        }

        throw new PtxException(PtxFault.OutOfBounds, $"{bytes} bytes at global address 0x{address:x} are not within an allocation{Nearest(address)}");
    }

    private string Nearest(ulong address)
    {
        var before = _allocations.LastOrDefault(allocation => allocation.Start <= address);
        return before is null ? "" : $"; {address - before.Start} bytes behind the start of one of {before.Bytes}";
    }
}
