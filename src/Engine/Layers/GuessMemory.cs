namespace MASQuant.Engine.Layers;

/// <summary>What a sequence's tokens have left for the head that guesses ahead: keys and values in its block, and rows of the last tokens, which wait for the tokens that follow. For one sequence, on one thread at a time.</summary>
/// <param name="width">H.</param>
/// <param name="format">How keys and values are kept.</param>
internal sealed class GuessMemory(int width, KeyValueFormat format)
{
    private readonly RowBuffer _rows = new(width);
    private readonly List<int> _ids = [];

    /// <summary>Keys and values of the tokens that wait no more.</summary>
    public LayerMemory Block { get; } = new(format);

    /// <summary>How many tokens it has of the sequence; fewer than the sequence's where some have passed it by, and then for good.</summary>
    public int Length => Block.Length + _ids.Count;

    /// <summary>What it takes of memory.</summary>
    public long Bytes => Block.Bytes + ((long)_ids.Count * width * sizeof(float));

    /// <summary>The tokens that wait, the last of them the sequence's last.</summary>
    public IReadOnlyList<int> Waiting => _ids;

    /// <summary>The row of a token that waits.</summary>
    public ReadOnlySpan<float> Row(int waiting) => _rows.Rows(_ids.Count).Row(waiting);

    /// <summary>Adds tokens that have been evaluated.</summary>
    /// <param name="ids">T tokens, one after the other.</param>
    /// <param name="rows">[T, H], what they have left behind the decoder's last norm.</param>
    public void Add(ReadOnlySpan<int> ids, ReadOnlySpan<float> rows)
    {
        _ids.Clear();
        _ids.AddRange(ids);
        rows.CopyTo(_rows.Rows(ids.Length).Span);
    }

    /// <summary>Adds tokens, if it has all that were before them.</summary>
    /// <param name="before">How many those are.</param>
    /// <param name="ids">T tokens, one after the other.</param>
    /// <param name="rows">[T, H].</param>
    public void Follow(int before, ReadOnlySpan<int> ids, Matrix rows)
    {
        if (Length == before)
        {
            Add(ids, rows.Span);
        }
    }

    /// <summary>Lets the tokens wait no more: their keys and values are there.</summary>
    public void Settle() => _ids.Clear();

    /// <summary>Forgets all tokens from <paramref name="length"/> on, and what was made of that one where it followed another.</summary>
    public void Truncate(int length)
    {
        if (length >= Length)
        {
            return;
        }

        var waiting = length - Block.Length;
        if (waiting > 0)
        {
            _ids.RemoveRange(waiting, _ids.Count - waiting);
            return;
        }

        _ids.Clear();
        Block.Truncate(Math.Max(0, length - 1));
        WaitUnknown(length);
    }

    /// <summary>Takes the first <paramref name="length"/> tokens of another in place of its own, if it has them.</summary>
    public void CopyFrom(GuessMemory other, int length)
    {
        _ids.Clear();
        Block.Truncate(0);
        if (length < 1 || other.Block.Length < length - 1)
        {
            return;
        }

        if (length > 1)
        {
            Block.CopyFrom(other.Block, length - 1, null);
        }

        if (other.Block.Length == length - 1 && other._ids.Count > 0)
        {
            Add([other._ids[0]], other.Row(0));
        }
        else
        {
            WaitUnknown(length);
        }
    }

    // The last token's row was not kept: zeros stand for it, and one guess is worse.
    private void WaitUnknown(int length)
    {
        if (length > 0 && Block.Length == length - 1)
        {
            _ids.Add(-1);
            _rows.Rows(1).Span.Clear();
        }
    }
}
