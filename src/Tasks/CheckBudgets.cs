using MASQuant.Delivery;
using MASQuant.Evaluation.Budgets;
using MASQuant.Formats.Artifacts;
using MASQuant.Platform;
using Microsoft.Build.Framework;

namespace MASQuant.Tasks;

/// <summary>Holds models against their budgets, by the manifest in the store; nothing is quantized for it. A model that keeps them is marked, and is not asked again until it, they, or what they are measured on is another.</summary>
public class CheckBudgets : Microsoft.Build.Utilities.Task, ICancelableTask
{
    private readonly CancellationTokenSource _cancellation = new();
    private BuildLines? _lines;

    /// <summary>The items that <see cref="ComputeModelKeys"/> gave; those without <c>Budgets</c> pass.</summary>
    [Required]
    public ITaskItem[] Models { get; set; } = [];

    /// <summary>The project that they belong to: messages name it.</summary>
    [Required]
    public string Project { get; set; } = "";

    /// <summary>The folder in which evaluation losses are remembered.</summary>
    [Required]
    public string Store { get; set; } = "";

    /// <summary>1 when MSBuild's terminal logger shows the build.</summary>
    public string TerminalLogger { get; set; } = "";

    private BuildLines Lines => _lines ??= new BuildLines(this, TerminalLogger);

    /// <inheritdoc/>
    public void Cancel() => _cancellation.Cancel();

    /// <inheritdoc/>
    public override bool Execute()
    {
        foreach (var model in Models.Where(model => model.GetMetadata("Budgets").Length > 0))
        {
            try
            {
                Check(model);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
            catch (MASQuantException problem)
            {
                Log.LogError(problem);
            }
            catch (Exception exception)
            {
                Log.LogError(Messages.Unexpected(model.ItemSpec, exception));
            }
        }

        return !Log.HasLoggedErrors;
    }

    private void Check(ITaskItem model)
    {
        var budgets = BudgetTable.Read(OptionText.Words(model.GetMetadata("Budgets")), Project);
        var loss = budgets.MaxEvaluationLoss is null ? null : Loss(model);
        var problems = BudgetCheck.Run(budgets, ManifestFile.Read(model.GetMetadata("Manifest")), loss, Project);
        foreach (var problem in problems)
        {
            Log.LogError(problem);
        }

        if (problems.Count == 0)
        {
            FileSystem.Current.Open(model.GetMetadata("BudgetMark"), FileMode.Create, FileAccess.Write, FileShare.None).Dispose();
        }
    }

    private EvaluationLoss Loss(ITaskItem model)
    {
        var (name, file) = (model.ItemSpec, model.GetMetadata("EvaluationFile"));
        if (!File.Exists(file))
        {
            throw Messages.EvaluationMissing(Project, name, file); // since the item was read
        }

        var losses = new EvaluationLosses(Store);
        var key = model.GetMetadata("LossKey");
        using var alone = losses.Lock(key, () => Lines.Say(ModelEvents.Create(DeliveryEvent.Waiting(name))), _cancellation.Token);
        if (losses.TryRead(key) is { } known)
        {
            return known;
        }

        Lines.Say(Messages.Evaluating(name, file));
        var loss = EvaluationLoss.Measure(model.GetMetadata("ModelFolder"), model.GetMetadata("Artifact"), file, cancellationToken: _cancellation.Token);
        losses.Write(key, loss);
        Lines.Say(Messages.Evaluated(name, loss));
        return loss;
    }
}
