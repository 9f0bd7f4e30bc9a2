using System.Globalization;
using System.Text;
using System.Text.Json;
using MASQuant.Artifacts;
using MASQuant.Evaluation;

namespace MASQuant.Cli;

/// <summary>The figures of an evaluation, as a table and as JSON.</summary>
internal static class EvaluationReport
{
    public static TextTable Table(EvaluationJob job, IReadOnlyList<EvaluationResult> results)
    {
        var generated = job.MaxTokens > 0;
        var table = new TextTable(2, ["model", "task", "samples", "KL", "top-1 %", "perplexity", .. generated ? ["word/digit error %", "exact %"] : Array.Empty<string>()]);
        foreach (var result in results)
        {
            foreach (var task in result.Tasks)
            {
                table.Add(
                [
                    Label(result.Model), task.Task, task.Samples.ToString(CultureInfo.InvariantCulture),
                    Figures.Fixed(task.MeanKullbackLeibler, 5), Figures.Percent(task.Agreement, 2), Figures.Fixed(task.Perplexity, 4),
                    .. generated ? [Figures.Percent(task.WordErrorRate, 2), Figures.Percent(task.ExactRate, 2)] : Array.Empty<string>(),
                ]);
            }
        }

        return table;
    }

    public static string Json(EvaluationJob job, IReadOnlyList<EvaluationResult> results)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteString("reference", job.Model);
            json.WriteString("data", job.Data);
            json.WriteNumber("maxTokens", job.MaxTokens);
            json.WriteStartArray("models");
            foreach (var result in results)
            {
                json.WriteStartObject();
                json.WriteString("model", result.Model);
                json.WriteStartArray("tasks");
                foreach (var task in result.Tasks)
                {
                    Write(json, task);
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    private static void Write(Utf8JsonWriter json, TaskResult task)
    {
        json.WriteStartObject();
        json.WriteString("task", task.Task);
        json.WriteNumber("samples", task.Samples);
        json.WriteNumber("tokens", task.Divergence.Tokens);
        Number(json, "kullbackLeibler", task.MeanKullbackLeibler);
        Number(json, "agreement", task.Agreement);
        Number(json, "perplexity", task.Perplexity);
        Number(json, "wordErrorRate", task.WordErrorRate);
        Number(json, "exactRate", task.ExactRate);
        json.WriteEndObject();
    }

    // JSON has no NaN: a figure that was not measured is null.
    private static void Number(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumber(name, value);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static string Label(string path)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
        return name.EndsWith(ModelFiles.ArtifactSuffix, StringComparison.Ordinal) ? name[..^ModelFiles.ArtifactSuffix.Length] : name;
    }
}
