namespace MASQuant.Engine.Text;

/// <summary>Which two tokens merge into which, and in what order. The sooner a merge was learned, the lower its rank and the sooner it is made.</summary>
internal sealed class MergeTable
{
    /// <summary>No merge.</summary>
    public const int NoRank = int.MaxValue;

    private readonly Dictionary<ulong, (int Rank, int Id)> _merges = [];

    /// <summary>Makes room for about as many merges as are to come.</summary>
    public void EnsureCapacity(int count) => _merges.EnsureCapacity(count);

    /// <summary>Adds the next merge; of two for the same pair the later counts.</summary>
    public void Add(int rank, int left, int right, int merged) => _merges[Key(left, right)] = (rank, merged);

    /// <summary>The rank of a pair and the token it merges into; <see cref="NoRank"/> when it does not merge.</summary>
    public (int Rank, int Id) this[int left, int right] => _merges.TryGetValue(Key(left, right), out var merge) ? merge : (NoRank, -1);

    // Multiplied by an odd number, which loses nothing: the plain pair's hash would be left XOR right.
    private static ulong Key(int left, int right) => (((ulong)(uint)left << 32) | (uint)right) * 0x9E3779B97F4A7C15;
}
