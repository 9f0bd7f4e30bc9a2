using System.Globalization;
using MASQuant.Evaluation.Scores;
using MASQuant.Formats.Artifacts;

namespace MASQuant.Evaluation.Reports;

/// <summary>The figures of an evaluation, for people.</summary>
public static class EvaluationTables
{
    /// <summary>What the tables' signs mean.</summary>
    public const string Note = "± half of the 95 % bootstrap interval over samples. † outside the full-precision score's 95 % interval.";

    private const string Outside = "†";

    /// <summary>A row per model and task.</summary>
    public static TextTable Tasks(EvaluationJob job, IReadOnlyList<EvaluationResult> results)
    {
        var generated = job.MaxTokens > 0;
        var table = new TextTable(2, ["model", "task", "KL", "top-1 %", "perplexity", .. generated ? ["word/digit error %", "exact %"] : Array.Empty<string>(), "samples"]);
        foreach (var result in results)
        {
            foreach (var task in result.Tasks)
            {
                table.Add(
                [
                    Label(result.Model), task.Task,
                    Divergence(task.KullbackLeibler), Share(task.Agreement), Perplexity(task.Perplexity),
                    .. generated ? [Score(task.WordErrorRate), Score(task.ExactRate)] : Array.Empty<string>(),
                    task.Samples.ToString(CultureInfo.InvariantCulture),
                ]);
            }
        }

        return table;
    }

    /// <summary>A row per quantized model and task: how far its scores lie from the full-precision model's on the same samples.</summary>
    public static TextTable Differences(EvaluationJob job, IReadOnlyList<EvaluationResult> results)
    {
        var generated = job.MaxTokens > 0;
        var table = new TextTable(2, ["model", "task", "perplexity", .. generated ? ["word/digit error %", "exact %"] : Array.Empty<string>()]);
        foreach (var result in results.Skip(1))
        {
            foreach (var task in result.Tasks)
            {
                table.Add(
                [
                    Label(result.Model), task.Task, Difference(task.Perplexity, 1, 4),
                    .. generated ? [Difference(task.WordErrorRate, 100, 2), Difference(task.ExactRate, 100, 2)] : Array.Empty<string>(),
                ]);
            }
        }

        return table;
    }

    /// <summary>A row per model and modality.</summary>
    public static TextTable Modalities(IReadOnlyList<EvaluationResult> results)
    {
        var table = new TextTable(2, "model", "tokens of", "KL", "top-1 %", "SQNR dB: lowest block", "first", "last", "samples", "tokens");
        foreach (var result in results.Skip(1))
        {
            foreach (var modality in result.Modalities)
            {
                var sqnr = modality.BlockSqnr;
                table.Add(
                    Label(result.Model), modality.Modality.ToString(),
                    Divergence(modality.KullbackLeibler), Share(modality.Agreement),
                    Figures.Fixed(sqnr.Min(), 1), Figures.Fixed(sqnr[0], 1), Figures.Fixed(sqnr[^1], 1),
                    modality.Samples.ToString(CultureInfo.InvariantCulture), modality.Tokens.ToString(CultureInfo.InvariantCulture));
            }
        }

        return table;
    }

    public static string Divergence(Figure figure) => Figures.WithMargin(figure.Own, value => Figures.Fixed(value, 5));

    public static string Share(Figure figure) => Figures.WithMargin(figure.Own, value => Figures.Percent(value, 2));

    public static string Perplexity(Figure figure) => Figures.WithMargin(figure.Own, value => Figures.Fixed(value, 4)) + Mark(figure);

    public static string Score(Figure figure) => Share(figure) + Mark(figure);

    public static string Label(string path)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
        return name.EndsWith(ModelFiles.ArtifactSuffix, StringComparison.Ordinal) ? name[..^ModelFiles.ArtifactSuffix.Length] : name;
    }

    private static string Difference(Figure figure, double unit, int decimals)
    {
        string Signed(double value) => (value > 0 ? "+" : "") + Figures.Fixed(value * unit, decimals);
        var difference = figure.Difference;
        return double.IsNaN(difference.Value) ? "–" : $"{Signed(difference.Value)} [{Signed(difference.Low)}, {Signed(difference.High)}]";
    }

    private static string Mark(Figure figure) => double.IsNaN(figure.Value) || figure.WithinReference ? " " : Outside;
}
