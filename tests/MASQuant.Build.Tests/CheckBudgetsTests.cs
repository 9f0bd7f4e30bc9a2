using System.Collections;
using MASQuant.Quantization;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;
using MASQuant.Tasks;
using MASQuant.Tests;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace MASQuant.Build.Tests;

/// <summary>The marks of kept budgets, without MSBuild: they stand for exactly what was measured.</summary>
public sealed class CheckBudgetsTests : IDisposable
{
    private const string Evaluation = """{"messages": [{"role": "user", "content": [{"type": "image", "image": "picture.png"}]}, {"role": "assistant", "content": "1 2"}]}""";
    private readonly TemporaryDirectory _folder = new();

    public CheckBudgetsTests()
    {
        Directory.CreateDirectory(_folder.File("eval"));
        File.Copy(RepositoryFiles.Data("media/calib-ocr-000.png"), _folder.File("picture.png"));
        File.Copy(RepositoryFiles.Data("media/eval-ocr-000.png"), _folder.File("eval/picture.png"));
        File.WriteAllText(_folder.File("calibration.jsonl"), Evaluation);
        File.WriteAllText(_folder.File("eval/set.jsonl"), Evaluation);
    }

    [Fact]
    public void A_mark_stands_for_the_budgets_and_what_they_are_measured_on()
    {
        var first = Mark("0.5");
        Assert.Equal(first, Mark("0.5"));
        Assert.NotEqual(first, Mark("0.4"));

        File.SetLastWriteTimeUtc(_folder.File("eval/picture.png"), DateTime.UtcNow);
        Assert.Equal(first, Mark("0.5"));
        File.AppendAllText(_folder.File("eval/set.jsonl"), "\n");
        var second = Mark("0.5");
        Assert.NotEqual(first, second);
        File.Copy(RepositoryFiles.Data("media/eval-ocr-001.png"), _folder.File("eval/picture.png"), overwrite: true);
        Assert.NotEqual(second, Mark("0.5"));
    }

    [Fact]
    public void A_loss_is_measured_once_and_a_budget_that_is_missed_leaves_no_mark()
    {
        var model = Keyed("1e-9");
        Quantize(model);
        var (isKept, engine) = Check(model);
        Assert.False(isKept);
        Assert.Equal(["MASQ0952"], engine.Codes);
        Assert.Equal(["Tiny"], Evaluated(engine));
        Assert.False(File.Exists(model.GetMetadata("BudgetMark")));

        model = Keyed("1000");
        (isKept, engine) = Check(model);
        Assert.True(isKept);
        Assert.Empty(Evaluated(engine));
        Assert.True(File.Exists(model.GetMetadata("BudgetMark")));

        File.AppendAllText(_folder.File("eval/set.jsonl"), "\n" + Evaluation);
        Assert.Equal(["Tiny"], Evaluated(Check(Keyed("1000")).Engine));
    }

    public void Dispose() => _folder.Dispose();

    private static IEnumerable<string> Evaluated(RecordingEngine engine) => engine.Messages.Where(message => message.Code == ModelEvents.Evaluated).Select(message => message.Subcategory);

    private string Mark(string maxLoss) => Keyed(maxLoss).GetMetadata("BudgetMark");

    private ITaskItem Keyed(string maxLoss)
    {
        var item = new TaskItem(RepositoryFiles.VlTiny, new Hashtable { ["Name"] = "Tiny", ["Calibration"] = "calibration.jsonl", ["Epochs"] = "0", ["MaxEvaluationLoss"] = maxLoss, ["Evaluation"] = "eval/set.jsonl" });
        var task = new ComputeModelKeys { BuildEngine = new RecordingEngine(), Models = [item], Project = _folder.File("App.csproj"), Store = _folder.File("store") };
        Assert.True(task.Execute());
        Assert.Contains(task.InputFiles, file => file.ItemSpec == _folder.File("eval/picture.png"));
        return Assert.Single(task.KeyedModels);
    }

    private void Quantize(ITaskItem model) => QuantizationPipeline.Run(new QuantizationJob
    {
        ModelFolder = RepositoryFiles.VlTiny,
        CalibrationFile = _folder.File("calibration.jsonl"),
        OutputFolder = Path.GetDirectoryName(model.GetMetadata("Artifact"))!,
        WorkFolder = _folder.File("work"),
        Name = "Tiny",
        Options = new QuantizationOptions { Epochs = 0, Rank = 0, WeightQuantizer = WeightQuantizerKind.Rtn, Compensation = CompensationKind.None },
    });

    private (bool IsKept, RecordingEngine Engine) Check(ITaskItem model)
    {
        var engine = new RecordingEngine();
        return (new CheckBudgets { BuildEngine = engine, Models = [model], Project = _folder.File("App.csproj"), Store = _folder.File("store") }.Execute(), engine);
    }
}
