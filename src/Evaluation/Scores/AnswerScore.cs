namespace MASQuant.Evaluation.Scores;

/// <summary>Errors of generated answers against the expected ones, summed over samples.</summary>
public sealed class AnswerScore
{
    private static readonly char[] Separators = [' ', '\n', '\t'];

    /// <summary>Word insertions, deletions and substitutions.</summary>
    public long WordErrors { get; private set; }

    /// <summary>Words of the expected answers.</summary>
    public long Words { get; private set; }

    /// <summary>Answers that equal the expected one.</summary>
    public long Exact { get; private set; }

    /// <summary>The number of answers.</summary>
    public long Answers { get; private set; }

    /// <summary>Adds one answer. White space between words does not matter.</summary>
    public void Add(string answer, string expected)
    {
        var (got, wanted) = (Split(answer), Split(expected));
        WordErrors += EditDistance.Of(wanted, got);
        Words += wanted.Length;
        Exact += wanted.SequenceEqual(got) ? 1 : 0;
        Answers++;
    }

    /// <summary>Whether two answers are the same but for white space between words.</summary>
    internal static bool AreEqual(string answer, string expected) => Split(answer).SequenceEqual(Split(expected));

    private static string[] Split(string text) => text.Split(Separators, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
