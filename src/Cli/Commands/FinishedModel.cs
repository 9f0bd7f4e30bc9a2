using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Run;

namespace MASQuant.Cli.Commands;

/// <summary>The end of <c>quantize</c> and <c>join</c>: the page, the answer, the budgets.</summary>
internal static class FinishedModel
{
    /// <param name="console">Where to.</param>
    /// <param name="job">What was to be done.</param>
    /// <param name="manifest">What came of it.</param>
    /// <param name="demands">The budgets.</param>
    /// <param name="page">Where a report is wanted; null: nowhere.</param>
    /// <param name="json">Whether programs read the answer.</param>
    /// <param name="cancellationToken">Obeyed while a budget is measured.</param>
    /// <exception cref="MASQuantException">A budget is missed.</exception>
    public static int Answer(CommandConsole console, QuantizationJob job, Manifest manifest, BudgetDemands demands, string? page, bool json, CancellationToken cancellationToken)
    {
        if (page is not null)
        {
            QuantizationReport.Write(Path.Combine(job.OutputFolder, manifest.Artifact), page, demands.Budgets);
        }

        if (!json)
        {
            QuantizationSummary.Answer(console, job, manifest); // Also of an artifact that misses its budgets.
        }

        demands.Check(console, job, manifest, cancellationToken);
        if (json)
        {
            QuantizationSummary.AnswerJson(console, job, manifest);
        }

        return ExitCode.Done;
    }
}
