using System.Text;

namespace MASQuant.HardModel;

/// <summary>Random numbers that depend on a name alone (SplitMix64, seeded by FNV-1a): the same on every machine and runtime.</summary>
internal sealed class Draws
{
    private ulong _state = 0xCBF29CE484222325;

    public Draws(string name)
    {
        foreach (var letter in Encoding.UTF8.GetBytes(name))
        {
            _state = (_state ^ letter) * 0x100000001B3;
        }
    }

    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>, both included.</summary>
    public int Whole(int least, int most) => least + (int)((Next() >> 32) * (ulong)(most - least + 1) >> 32);

    /// <summary>Puts <paramref name="values"/> into a random order.</summary>
    public void Shuffle<T>(Span<T> values)
    {
        for (var i = values.Length - 1; i > 0; i--)
        {
            var other = Whole(0, i);
            (values[i], values[other]) = (values[other], values[i]);
        }
    }

    private ulong Next()
    {
        var bits = _state += 0x9E3779B97F4A7C15;
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }
}
