using System.Globalization;
using MASQuant.Evaluation.Markup;
using MASQuant.Evaluation.Scores;

namespace MASQuant.Evaluation.Reports;

/// <summary>Samples that a quantized model answers otherwise than the full-precision one, with what there is to see and hear.</summary>
internal static class ChangedAnswers
{
    private const int MaxPerModel = 12;
    private const int MaxText = 2000;

    /// <summary>Writes the section: of each model the lost answers first, then those that were wrong anyway, then those that were won; a bounded number, and a bounded size of media on the whole page.</summary>
    public static void Write(MarkupWriter html, IReadOnlyList<string> labels, IReadOnlyList<EvaluationResult> results)
    {
        var media = new EmbeddedMedia();
        foreach (var (label, result) in labels.Zip(results).Skip(1).Where(model => model.Second.Changed.Count > 0))
        {
            var shown = Choose(result.Changed);
            html.Element("h3", label);
            html.Element("p", Count(result, shown.Length), ("class", "soft"));
            using (html.Element("div", ("class", "samples")))
            {
                foreach (var changed in shown)
                {
                    WriteSample(html, changed, media);
                }
            }
        }
    }

    // Every task has its turn, so that one with free answers does not crowd out the others.
    private static ChangedAnswer[] Choose(IReadOnlyList<ChangedAnswer> all)
        => [.. all.GroupBy(changed => (Rank(changed), changed.Conversation.Task)).SelectMany(group => group.Select((changed, turn) => (changed, turn, Rank: group.Key.Item1)))
            .OrderBy(entry => entry.Rank).ThenBy(entry => entry.turn).ThenBy(entry => entry.changed.Conversation.Line).Select(entry => entry.changed).Take(MaxPerModel)];

    private static string Count(EvaluationResult result, int shown)
    {
        var (lost, won) = (result.Changed.Count(changed => Rank(changed) == 0), result.Changed.Count(changed => Rank(changed) == 2));
        var part = shown < result.Changed.Count ? $", {shown} are shown" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{result.Changed.Count} of {result.Tasks.Sum(task => task.Samples)} answers differ from full precision: {lost} were right and are wrong, {won} were wrong and are right{part}.");
    }

    // Lost, otherwise wrong, won.
    private static int Rank(ChangedAnswer changed) => (AnswerScore.AreEqual(changed.Reference, changed.Expected), AnswerScore.AreEqual(changed.Own, changed.Expected)) switch
    {
        (true, false) => 0,
        (false, true) => 2,
        _ => 1,
    };

    private static void WriteSample(MarkupWriter html, ChangedAnswer changed, EmbeddedMedia media)
    {
        using (html.Element("article", ("class", "sample")))
        {
            var task = changed.Conversation.Task.Length > 0 ? $"{changed.Conversation.Task}, " : "";
            html.Element("strong", string.Create(CultureInfo.InvariantCulture, $"{task}line {changed.Conversation.Line}: {Verdict(changed)}"));
            foreach (var part in changed.Conversation.Messages.SkipLast(1).Where(message => message.Role != ChatRole.System).SelectMany(message => message.Content))
            {
                switch (part)
                {
                    case ImagePart image:
                        media.Write(html, image.Source, "Image of the sample");
                        break;
                    case VideoPart { Frames: [var first, ..] } video:
                        media.Write(html, first, "First frame of the sample's video");
                        if (video.Sound is { } sound)
                        {
                            media.Write(html, sound, "Sound of the sample's video");
                        }

                        break;
                    case AudioPart audio:
                        media.Write(html, audio.Source, "Audio of the sample");
                        break;
                    case TextPart { Text: var text }:
                        html.Element("p", Cut(text), ("class", "prompt"));
                        break;
                }
            }

            using (html.Element("dl"))
            {
                Answer(html, "expected", changed.Expected);
                Answer(html, "full precision", changed.Reference);
                Answer(html, "quantized", changed.Own);
            }
        }
    }

    private static string Verdict(ChangedAnswer changed) => Rank(changed) switch { 0 => "lost", 2 => "won", _ => "changed" };

    private static void Answer(MarkupWriter html, string name, string text)
    {
        html.Element("dt", name);
        html.Element("dd", text.Length == 0 ? "(empty)" : Cut(text));
    }

    private static string Cut(string text) => text.Length <= MaxText ? text : text[..MaxText] + "…";
}
