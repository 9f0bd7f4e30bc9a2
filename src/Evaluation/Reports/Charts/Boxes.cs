namespace MASQuant.Evaluation.Reports.Charts;

/// <summary>Where a drawing has text already, so that no other is put over it.</summary>
internal sealed class Boxes
{
    // Of letters above and below their baseline.
    private const double Ascent = 12;
    private const double Descent = 3;
    private const double Gap = 3;
    private readonly List<(double Left, double Top, double Right, double Bottom)> _taken = [];

    /// <summary>Takes the room of a line, if it is free.</summary>
    /// <param name="text">The line.</param>
    /// <param name="x">Its anchor.</param>
    /// <param name="y">Its baseline.</param>
    /// <param name="anchor">start, middle or end.</param>
    public bool TryTake(string text, double x, double y, string anchor)
    {
        var width = TextWidth.Of(text);
        var left = anchor switch { "end" => x - width, "middle" => x - (width / 2), _ => x };
        var box = (left - Gap, y - Ascent, left + width + Gap, y + Descent);
        if (_taken.Exists(other => other.Left < box.Item3 && box.Item1 < other.Right && other.Top < box.Item4 && box.Item2 < other.Bottom))
        {
            return false;
        }

        _taken.Add(box);
        return true;
    }
}
