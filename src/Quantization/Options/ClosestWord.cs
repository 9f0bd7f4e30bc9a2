namespace MASQuant.Quantization.Options;

/// <summary>Guesses what a misspelt word was meant to be.</summary>
public static class ClosestWord
{
    /// <summary>The word of <paramref name="words"/> with the fewest letters to insert, delete, replace or swap; the first of equals.</summary>
    public static string Of(string text, IEnumerable<string> words) => words.MinBy(word => Distance(text.ToUpperInvariant(), word.ToUpperInvariant()))!;

    /// <summary>Levenshtein's distance with swaps of neighbours.</summary>
    public static int Distance(string a, string b)
    {
        var distance = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                distance[i, j] = i == 0 ? j : j == 0 ? i : Math.Min(
                    Math.Min(distance[i - 1, j], distance[i, j - 1]) + 1,
                    distance[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    distance[i, j] = Math.Min(distance[i, j], distance[i - 2, j - 2] + 1);
                }
            }
        }

        return distance[a.Length, b.Length];
    }
}
