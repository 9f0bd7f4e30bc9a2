using System.Text.Json;
using MASQuant.Evaluation.Reports;
using MASQuant.Evaluation.Scores;
using MASQuant.Platform;

namespace MASQuant.Evaluation.Comparison;

/// <summary>All figures of a comparison, for programs: those of the evaluation, and how each model was made.</summary>
public static class ComparisonJson
{
    /// <summary>The document.</summary>
    /// <param name="job">What was evaluated.</param>
    /// <param name="originalBytes">The checkpoint's.</param>
    /// <param name="models">The quantized models.</param>
    /// <param name="results">The figures: the full-precision model's, then theirs.</param>
    public static string Of(EvaluationJob job, long originalBytes, IReadOnlyList<ComparedModel> models, IReadOnlyList<EvaluationResult> results) => EvaluationJson.Of(job, results, (json, i) =>
    {
        var model = i == 0 ? null : models[i - 1];
        json.WriteString("method", model?.Method);
        json.WriteString("scheme", model?.Scheme);
        WriteSweep(json, model?.Swept ?? []);
        json.WriteNumber("bytes", model is null ? originalBytes : FileSystem.Current.Info(model.Artifact).Length);
    });

    private static void WriteSweep(Utf8JsonWriter json, IReadOnlyList<SweptValue> swept)
    {
        if (swept.Count > 0)
        {
            json.WriteStartObject("options");
            foreach (var (option, value) in swept)
            {
                json.WriteString(option, value);
            }

            json.WriteEndObject();
        }
    }
}
