namespace MASQuant.Evaluation.Scores;

/// <summary>Levenshtein's distance: the fewest insertions, deletions and substitutions.</summary>
internal static class EditDistance
{
    /// <summary>The distance between two sequences.</summary>
    public static int Of<T>(IReadOnlyList<T> from, IReadOnlyList<T> to)
        where T : IEquatable<T>
    {
        var row = Enumerable.Range(0, to.Count + 1).ToArray();
        for (var i = 1; i <= from.Count; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Count; j++)
            {
                var substitution = diagonal + (from[i - 1].Equals(to[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitution, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
