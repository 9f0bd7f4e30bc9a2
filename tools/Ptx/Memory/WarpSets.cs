namespace MASQuant.Ptx.Memory;

/// <summary>Sets of warps that have used a word, each with its clock, by number; 0 is the empty one. Words that are used alike share a set.</summary>
internal sealed class WarpSets
{
    private readonly List<(int Warp, int Clock)[]> _sets = [[]];
    private readonly Dictionary<(int Set, int Warp, int Clock), int> _unions = [];
    private (int Set, int Warp, int Clock) _last;
    private int _lastUnion;

    public void Clear()
    {
        _sets.RemoveRange(1, _sets.Count - 1);
        _unions.Clear();
        _last = default;
    }

    public (int Warp, int Clock)[] this[int set] => _sets[set];

    /// <summary>The set with one more warp; of a warp that is in it, its later clock counts.</summary>
    public int Add(int set, int warp, int clock)
    {
        var key = (set, warp, clock);
        if (key == _last && _lastUnion != 0)
        {
            return _lastUnion;
        }

        if (!_unions.TryGetValue(key, out var union))
        {
            union = _sets.Count;
            _sets.Add([.. _sets[set].Where(other => other.Warp != warp), (warp, clock)]);
            _unions[key] = union;
        }

        (_last, _lastUnion) = (key, union);
        return union;
    }
}
