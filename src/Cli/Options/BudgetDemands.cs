using MASQuant.Cli.Output;
using MASQuant.Evaluation.Budgets;
using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Run;

namespace MASQuant.Cli.Options;

/// <summary>Budgets and the data to measure them on.</summary>
/// <param name="Budgets">The budgets.</param>
/// <param name="Evaluation">The conversations of <c>--max-evaluation-loss</c>, or null.</param>
internal sealed record BudgetDemands(ModelBudgets Budgets, string? Evaluation)
{
    /// <summary>Holds a finished run against the budgets; the artifact stays whatever comes out.</summary>
    /// <exception cref="MASQuantException">MASQ0950, MASQ0951, MASQ0952 or MASQ0954: the last that falls short; those before it are printed.</exception>
    public void Check(CommandConsole console, QuantizationJob job, Manifest manifest, CancellationToken cancellationToken)
    {
        var artifact = Path.Combine(job.OutputFolder, manifest.Artifact);
        var problems = BudgetCheck.Run(Budgets, manifest, Loss(console, job, artifact, cancellationToken), artifact);
        foreach (var problem in problems.SkipLast(1))
        {
            console.Error.WriteLine(problem.ToDiagnostic());
        }

        if (problems.Count > 0)
        {
            throw problems[^1];
        }
    }

    private EvaluationLoss? Loss(CommandConsole console, QuantizationJob job, string artifact, CancellationToken cancellationToken)
    {
        if (Budgets.MaxEvaluationLoss is null)
        {
            return null;
        }

        console.Error.WriteLine($"Measuring the evaluation loss on {Evaluation}.");
        return EvaluationLoss.Measure(job.ModelFolder, artifact, Evaluation!, cancellationToken: cancellationToken);
    }
}
