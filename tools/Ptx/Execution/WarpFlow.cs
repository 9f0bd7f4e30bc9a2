namespace MASQuant.Ptx.Execution;

/// <summary>Where the lanes of a warp stand. Lanes that have parted run in groups, the one furthest back first, and merge where they meet: the convergence of structured code.</summary>
internal sealed class WarpFlow
{
    private readonly int[] _counters = new int[Warp.Lanes];
    private readonly uint[] _masks = new uint[Warp.Lanes];
    private readonly bool[] _waiting = new bool[Warp.Lanes];
    private int _others;
    private int _nearest = int.MaxValue;

    /// <summary>The next instruction of the running group.</summary>
    public int Counter { get; private set; }

    /// <summary>The lanes of the running group; none when the warp has finished.</summary>
    public uint Mask { get; private set; }

    /// <summary>The lanes that have not left.</summary>
    public uint Live { get; private set; }

    public void Start(uint mask) => (Counter, Mask, Live, _others, _nearest) = (0, mask, mask, 0, int.MaxValue);

    /// <summary>Moves the running group to the following instruction.</summary>
    public void Next()
    {
        if (++Counter >= _nearest)
        {
            Settle();
        }
    }

    /// <summary>Sends <paramref name="taken"/> to <paramref name="target"/> and the rest on.</summary>
    public void Branch(uint taken, int target)
    {
        var rest = Mask & ~taken;
        if (taken != 0 && rest != 0)
        {
            Add(Counter + 1, rest, false);
            Mask = taken;
        }

        Counter = taken == 0 ? Counter + 1 : target;
        if (_others > 0)
        {
            Settle();
        }
    }

    /// <summary>Ends the lanes of <paramref name="mask"/>.</summary>
    public void Exit(uint mask)
    {
        Live &= ~mask;
        Mask &= ~mask;
        if (Mask != 0)
        {
            Next();
        }
        else if (_others > 0)
        {
            // Who waited for the lanes that have left need not wait on.
            Array.Clear(_waiting, 0, _others);
            Settle();
        }
    }

    /// <summary>Whether the running group holds every lane of the warp that is left; if not, it waits here for the others.</summary>
    public bool Gather(uint mask, PtxFault fault)
    {
        if (mask == Live)
        {
            return true;
        }

        if (mask != Mask || !AnyRunning())
        {
            throw new PtxException(fault, "not all lanes of the warp reach this instruction");
        }

        Add(Counter, Mask, true);
        Mask = 0;
        Settle();
        return false;
    }

    private bool AnyRunning()
    {
        for (var i = 0; i < _others; i++)
        {
            if (!_waiting[i])
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Puts the running group aside, merges groups that stand at one place and picks the one furthest back that does not wait.</summary>
    private void Settle()
    {
        if (Mask != 0)
        {
            Add(Counter, Mask, false);
        }

        var chosen = -1;
        for (var i = 0; i < _others; i++)
        {
            if (!_waiting[i] && (chosen < 0 || _counters[i] < _counters[chosen]))
            {
                chosen = i;
            }
        }

        if (chosen < 0)
        {
            throw new PtxException(PtxFault.DivergentWarp, "all groups of lanes wait for each other");
        }

        (Counter, Mask) = (_counters[chosen], _masks[chosen]);
        Remove(chosen);
        _nearest = int.MaxValue;
        for (var i = 0; i < _others; i++)
        {
            // A group that waits is met only where it stands; those in front of it pass on.
            _nearest = Math.Min(_nearest, _waiting[i] && _counters[i] < Counter ? int.MaxValue : _counters[i]);
        }
    }

    private void Add(int counter, uint mask, bool waiting)
    {
        for (var i = 0; i < _others; i++)
        {
            if (_counters[i] == counter)
            {
                // Whoever arrives at a waiting group makes it try again.
                _masks[i] |= mask;
                _waiting[i] &= waiting;
                return;
            }
        }

        (_counters[_others], _masks[_others], _waiting[_others]) = (counter, mask, waiting);
        _others++;
        _nearest = Math.Min(_nearest, counter);
    }

    private void Remove(int index)
    {
        _others--;
        (_counters[index], _masks[index], _waiting[index]) = (_counters[_others], _masks[_others], _waiting[_others]);
    }
}
