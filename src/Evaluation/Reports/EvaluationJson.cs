using System.Text;
using System.Text.Json;
using MASQuant.Evaluation.Scores;

namespace MASQuant.Evaluation.Reports;

/// <summary>All figures of an evaluation, for programs.</summary>
public static class EvaluationJson
{
    /// <summary>The document.</summary>
    /// <param name="job">What was evaluated.</param>
    /// <param name="results">The figures.</param>
    /// <param name="facts">Adds what else is known of a model, by its place in <paramref name="results"/>; or null.</param>
    public static string Of(EvaluationJob job, IReadOnlyList<EvaluationResult> results, Action<Utf8JsonWriter, int>? facts = null)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteString("reference", job.Model);
            json.WriteString("data", job.Data);
            json.WriteNumber("limit", job.Limit);
            json.WriteNumber("maxTokens", job.MaxTokens);
            json.WriteStartArray("models");
            for (var i = 0; i < results.Count; i++)
            {
                json.WriteStartObject();
                json.WriteString("model", results[i].Model);
                facts?.Invoke(json, i);
                Write(json, results[i]);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    private static void Write(Utf8JsonWriter json, EvaluationResult result)
    {
        json.WriteStartArray("tasks");
        foreach (var task in result.Tasks)
        {
            json.WriteStartObject();
            json.WriteString("task", task.Task);
            json.WriteNumber("samples", task.Samples);
            json.WriteNumber("tokens", task.Tokens);
            Write(json, "kullbackLeibler", task.KullbackLeibler);
            Write(json, "agreement", task.Agreement);
            Write(json, "perplexity", task.Perplexity);
            Write(json, "wordErrorRate", task.WordErrorRate);
            Write(json, "exactRate", task.ExactRate);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("modalities");
        foreach (var modality in result.Modalities)
        {
            json.WriteStartObject();
            json.WriteString("modality", modality.Modality.ToString());
            json.WriteNumber("samples", modality.Samples);
            json.WriteNumber("tokens", modality.Tokens);
            Write(json, "kullbackLeibler", modality.KullbackLeibler);
            Write(json, "agreement", modality.Agreement);
            json.WriteStartArray("blockSqnr");
            foreach (var sqnr in modality.BlockSqnr)
            {
                json.WriteNumberValue(sqnr);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, string name, Figure figure)
    {
        if (double.IsNaN(figure.Value))
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartObject(name);
        Number(json, "value", figure.Value);
        Interval(json, "interval", figure.Own);
        Number(json, "difference", figure.Difference.Value);
        Interval(json, "differenceInterval", figure.Difference);
        json.WriteBoolean("withinReference", figure.WithinReference);
        json.WriteEndObject();
    }

    private static void Interval(Utf8JsonWriter json, string name, Estimate estimate)
    {
        json.WriteStartArray(name);
        foreach (var end in (double[])[estimate.Low, estimate.High])
        {
            if (double.IsFinite(end))
            {
                json.WriteNumberValue(end);
            }
            else
            {
                json.WriteNullValue();
            }
        }

        json.WriteEndArray();
    }

    // JSON has no NaN and no infinity.
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
}
