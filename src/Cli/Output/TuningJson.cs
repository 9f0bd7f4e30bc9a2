using System.Text.Json;
using MASQuant.Diagnostics;
using MASQuant.Evaluation.Tuning;

namespace MASQuant.Cli.Output;

/// <summary>What a tuning chose, for programs.</summary>
internal static class TuningJson
{
    /// <summary>Writes it.</summary>
    /// <exception cref="MASQuantException">MASQ0515: no setting keeps the budgets.</exception>
    public static void Write(CommandConsole console, TuningJob job, TuningRun run, TuningSearch search)
    {
        var chosen = search.Chosen ?? throw new MASQuantException(DiagnosticCodes.BudgetsNotReached, job.Model, TuningAnswer.Shortfall(job, search));
        var options = job.OptionsOf(chosen, search.Model.Config.Modalities);
        JsonAnswer.Write(console, json =>
        {
            json.WriteString("artifact", run.Artifacts[chosen.Key]);
            Point(json, search, chosen);
            json.WriteString("item", TuningAnswer.Item(job, options));
            json.WriteString("command", TuningAnswer.Command(job, options));
            json.WriteStartArray("points");
            foreach (var point in search.Measured)
            {
                json.WriteStartObject();
                json.WriteString("artifact", run.Artifacts[point.Key]);
                Point(json, search, point);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    private static void Point(Utf8JsonWriter json, TuningSearch search, TuningPoint point)
    {
        json.WriteNumber("bytes", point.Measured!.ArtifactBytes);
        json.WriteStartObject("sqnr");
        foreach (var modality in search.Model.Config.Modalities)
        {
            if (point.MeasuredSqnr(modality) is { Decibels: var decibels } && double.IsFinite(decibels))
            {
                json.WriteNumber(modality.ToString(), decibels);
            }
        }

        json.WriteEndObject();
        if (point.MeasuredLoss is { } loss && double.IsFinite(loss))
        {
            json.WriteNumber("evaluationLoss", loss);
        }
    }
}
