namespace MASQuant.Ptx.Execution;

/// <summary>What lanes that wait alone learn before their warp does.</summary>
internal sealed class LaneClock
{
    /// <summary>The lanes; none when the warp is together.</summary>
    public uint Lanes { get; private set; }

    public int[] Clock { get; } = VectorClock.New();

    /// <summary>The lanes of <paramref name="mask"/>, so far behind <paramref name="clock"/>, are behind <paramref name="passed"/>, too. Of lanes that waited before, those that did not now lose what they learned.</summary>
    public void Pass(uint mask, int[] clock, int[] passed)
    {
        if ((mask & ~Lanes) != 0)
        {
            Array.Clear(Clock);
        }

        Lanes = mask;
        VectorClock.Join(Clock, clock);
        VectorClock.Join(Clock, passed);
    }

    /// <summary>The warp, which is behind <paramref name="clock"/>, meets, and learns what its lanes have.</summary>
    public void End(int[] clock)
    {
        if (Lanes != 0)
        {
            VectorClock.Join(clock, Clock);
            Array.Clear(Clock);
            Lanes = 0;
        }
    }
}
