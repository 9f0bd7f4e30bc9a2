using System.Globalization;
using MASQuant.Engine.Execution;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Bench;

/// <summary>KL(full precision ‖ quantized) of the next token, teacher-forced on one long text, by where in the text it stands: whether an error in a state lives on.</summary>
internal static class DivergenceByLength
{
    private static readonly int[] Ends = [64, 256, 1024, 2048, 4096];

    /// <summary>Prints a row for each model.</summary>
    /// <param name="conversations">A file whose texts are joined until they have as many tokens as the longest length.</param>
    /// <param name="reference">The checkpoint.</param>
    /// <param name="models">Artifacts.</param>
    public static int Run(string conversations, string reference, IReadOnlyList<string> models)
    {
        using var full = LoadedModel.Load(reference);
        var expected = full.Logits(full.Prepare(new Prompt().Text(Text(conversations, full)).Messages));
        Console.WriteLine($"| model | {string.Join(" | ", Ends.Select((end, i) => $"{(i == 0 ? 0 : Ends[i - 1])}–{end}"))} |");
        Console.WriteLine($"|---|{string.Concat(Ends.Select(_ => "---:|"))}");
        foreach (var path in models)
        {
            using var model = LoadedModel.Load(path);
            var actual = model.Logits(model.Prepare(new Prompt().Text(Text(conversations, model)).Messages));
            var means = Ends.Select((end, i) => Mean(expected, actual, i == 0 ? 0 : Ends[i - 1], Math.Min(end, expected.Rows)));
            Console.WriteLine($"| {path} | {string.Join(" | ", means.Select(mean => mean.ToString("F5", CultureInfo.InvariantCulture)))} |");
        }

        return 0;
    }

    private static string Text(string conversations, LoadedModel model)
    {
        var verses = ConversationFile.Read(conversations).Where(conversation => conversation.Task == "text").Select(conversation => ((TextPart)conversation.Messages[^1].Content[0]).Text);
        var text = string.Join(' ', Enumerable.Repeat(verses, 20).SelectMany(all => all));
        var (low, high) = (0, text.Length);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = Fits(text[..middle], model) ? (middle, high) : (low, middle - 1);
        }

        return text[..low];
    }

    private static bool Fits(string text, LoadedModel model)
    {
        try
        {
            return model.Encoder.Plan(new Prompt().Text(text).Messages).Ids.Length <= Ends[^1];
        }
        catch (MASQuantException)
        {
            return false; // More than the model has positions for.
        }
    }

    private static double Mean(Matrix expected, Matrix actual, int first, int end)
    {
        var sum = 0.0;
        for (var t = first; t < end; t++)
        {
            var (p, q) = (LogProbabilities(expected.Row(t)), LogProbabilities(actual.Row(t)));
            sum += p.Zip(q).Sum(pair => Math.Exp(pair.First) * (pair.First - pair.Second));
        }

        return sum / (end - first);
    }

    private static double[] LogProbabilities(ReadOnlySpan<float> logits)
    {
        var largest = double.NegativeInfinity;
        foreach (var logit in logits)
        {
            largest = Math.Max(largest, logit);
        }

        var sum = 0.0;
        foreach (var logit in logits)
        {
            sum += Math.Exp(logit - largest);
        }

        var (result, log) = (new double[logits.Length], largest + Math.Log(sum));
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = logits[i] - log;
        }

        return result;
    }
}
