namespace MASQuant.Engine.Generation;

/// <summary>Cuts an answer before the first stop string that is complete, of those that end together before the longest. Text that may be the beginning of one is held back.</summary>
/// <param name="stopStrings">None of them empty.</param>
internal sealed class StopStringMatcher(IReadOnlyList<string> stopStrings)
{
    private string _held = "";

    /// <summary>Whether a stop string has come.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>What has come behind the stop string.</summary>
    public string Rest { get; private set; } = "";

    /// <summary>Takes the text that follows, and returns what no stop string can begin in.</summary>
    public string Append(string text)
    {
        if (stopStrings.Count == 0 || text.Length == 0)
        {
            return text;
        }

        _held += text;
        var (start, end) = (_held.Length, int.MaxValue);
        foreach (var stop in stopStrings)
        {
            var found = _held.IndexOf(stop, StringComparison.Ordinal);
            if (found >= 0 && (found + stop.Length, found).CompareTo((end, start)) < 0)
            {
                (start, end) = (found, found + stop.Length);
            }
        }

        IsStopped = end != int.MaxValue;
        if (IsStopped)
        {
            Rest = _held[end..];
        }
        else
        {
            start -= stopStrings.Max(LengthOfBeginning);
        }

        var free = _held[..start];
        _held = _held[start..];
        return free;
    }

    /// <summary>Ends the text: what was held back, unless a stop string has come.</summary>
    public string Flush() => IsStopped ? "" : _held;

    // How many characters at the end of what is held are the beginning of a stop string.
    private int LengthOfBeginning(string stop)
    {
        var length = Math.Min(stop.Length - 1, _held.Length);
        while (length > 0 && !_held.EndsWith(stop[..length], StringComparison.Ordinal))
        {
            length--;
        }

        return length;
    }
}
