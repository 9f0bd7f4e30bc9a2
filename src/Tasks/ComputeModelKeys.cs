using MASQuant.Delivery.Keys;
using MASQuant.Delivery.Stores;
using MASQuant.Evaluation.Budgets;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Files;
using MASQuant.Platform;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace MASQuant.Tasks;

/// <summary>Reads <c>QuantizedModel</c> items, names each by a key over everything that shapes its artifact, and says where that artifact is or will be. Cheap: file contents are hashed when they changed.</summary>
public class ComputeModelKeys : Microsoft.Build.Utilities.Task
{
    private bool _warned;

    /// <summary>The <c>QuantizedModel</c> items.</summary>
    [Required]
    public ITaskItem[] Models { get; set; } = [];

    /// <summary>The project that they belong to: messages name it, relative paths start at its folder.</summary>
    [Required]
    public string Project { get; set; } = "";

    /// <summary>The folder of finished artifacts.</summary>
    [Required]
    public string Store { get; set; } = "";

    /// <summary>Whether an editor asks: then problems are warnings, and a model that was never quantized gets a manifest planned from its configuration.</summary>
    public bool DesignTime { get; set; }

    /// <summary>The project's programming language, as MSBuild names it: only C# gets a class.</summary>
    public string Language { get; set; } = "";

    /// <summary>As <see cref="QuantizeModel.TerminalLogger"/>.</summary>
    public string TerminalLogger { get; set; } = "";

    /// <summary>The assembly that computes unless that is managed code; empty when no package brought it.</summary>
    public string ComputeAssembly { get; set; } = "";

    /// <summary>Where the answer is kept for <see cref="ReadPreparedModels"/>; empty keeps none.</summary>
    public string State { get; set; } = "";

    /// <summary>One item per model, named by the class: <c>MASQuantKey</c>, <c>MASQuantSampling</c>, <c>Pack</c> (empty where the project has not said), <c>Artifact</c>, <c>Manifest</c>, <c>Quantized</c> (whether they exist and no upload was broken off), <c>ModelFolder</c>, <c>CalibrationFile</c>, <c>Options</c>, and of budgets <c>Budgets</c>, <c>EvaluationFile</c>, <c>LossKey</c>, and <c>BudgetMark</c>, the file that exists when they are kept.</summary>
    [Output]
    public ITaskItem[] KeyedModels { get; set; } = [];

    /// <summary>Every input file of every model.</summary>
    [Output]
    public ITaskItem[] InputFiles { get; set; } = [];

    /// <inheritdoc/>
    public override bool Execute()
    {
        var started = Clock.UtcNow;
        var store = new ArtifactStore(Store);
        var hashes = new FileHashes(store.HashMemo);
        var models = new List<(ModelItem Model, string Key, string LossKey)>();
        var inputs = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var item in Models)
        {
            try
            {
                WarnOfUnknownWords(item);
                var model = ModelItem.Read(item, Project, ComputeAssembly);
                if (models.Exists(other => string.Equals(other.Model.Name, model.Name, StringComparison.OrdinalIgnoreCase)))
                {
                    throw Messages.DuplicateName(Project, model.Name);
                }

                var key = ArtifactKey.Of(model.Job, hashes.Of);
                if (DesignTime && !store.Contains(key, model.Name))
                {
                    WritePlan(store.Manifest(key, model.Name), model);
                }

                string[] evaluation = model is { Budgets.MaxEvaluationLoss: not null, Evaluation: { } conversations } ? [conversations, .. ModelInputs.OfConversations(conversations)] : [];
                SayWhenThereIsNoClass(model);
                models.Add((model, key, evaluation.Length > 0 ? EvaluationLosses.KeyOf(key, evaluation, hashes) : ""));
                inputs.UnionWith([.. ModelInputs.OfCheckpoint(model.Folder), model.Calibration, .. ModelInputs.OfConversations(model.Calibration), .. evaluation]);
            }
            catch (MASQuantException problem) when (DesignTime)
            {
                _warned = true;
                Log.LogWarning(problem);
            }
            catch (MASQuantException problem)
            {
                Log.LogError(problem);
            }
        }

        try
        {
            hashes.Save();
            store.Uses.Record(State, models.Select(model => model.Key)); // before looking what is there
        }
        catch (MASQuantException problem)
        {
            Log.LogError(problem);
            return false;
        }

        KeyedModels = [.. models.Select(model => Describe(model.Model, model.Key, model.LossKey, store))];
        InputFiles = [.. inputs.Select(file => EscapedItem.Of(file))];
        Remember(hashes, started);
        return !Log.HasLoggedErrors;
    }

    // Another answer may come of any of them.
    private IEnumerable<(string Path, string Stamp)> Tools
        => FileSystem.Current.Files(Path.GetDirectoryName(typeof(ComputeModelKeys).Assembly.Location)!, "MASQuant.*.dll").Select(file => file.FullName)
            .Concat(File.Exists(ComputeAssembly) ? [ComputeAssembly] : [])
            .Select(file => (file, FileStamp.Of(file)));

    // An answer with a warning is not remembered: every build repeats the warning.
    private void Remember(FileHashes hashes, DateTime started)
    {
        if (State.Length == 0 || Log.HasLoggedErrors || _warned)
        {
            return;
        }

        try
        {
            PreparedModels.Write(State, PreparedModels.Question(Models, Store, ComputeAssembly), KeyedModels.Select(model => new TaskItem(model)), [.. InputFiles.Select(file => file.ItemSpec)], hashes.Stamps.Concat(Tools), started, DesignTime);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The next build asks again.
        }
    }

    // Planned anew each time, to repeat its warnings; written when different, so that nothing is compiled again for it.
    private void WritePlan(string path, ModelItem model)
    {
        var plan = ManifestFile.Serialize(ModelPlan.Of(model, problem =>
        {
            _warned = true;
            Log.LogWarning(problem);
        }));
        if (!File.Exists(path) || !FileSystem.Current.ReadAllBytes(path).AsSpan().SequenceEqual(plan))
        {
            AtomicFile.Write(path, plan);
        }
    }

    // Once, when its key is new: the build is as it should be.
    private void SayWhenThereIsNoClass(ModelItem model)
    {
        if (!DesignTime && Language is not ("" or "C#"))
        {
            new BuildLines(this, TerminalLogger).Say(Messages.NoClass(model.Name, Language));
        }
    }

    private void WarnOfUnknownWords(ITaskItem item)
    {
        foreach (var word in ModelItem.UnknownWords(item))
        {
            _warned = true;
            Log.LogWarning(Messages.UnknownMetadata(Project, item.ItemSpec, word, ClosestWord.Of(word, ModelItem.Words)));
        }
    }

    private static TaskItem Describe(ModelItem model, string key, string lossKey, ArtifactStore store)
    {
        var described = EscapedItem.Of(model.Name);
        described.Set("MASQuantKey", key);
        described.Set("MASQuantSampling", model.Sampling.ToString());
        described.Set("Pack", model.Pack switch { true => "true", false => "false", null => "" });
        described.Set("Artifact", store.Artifact(key, model.Name));
        described.Set("Manifest", store.Manifest(key, model.Name));
        described.Set("Quantized", store.Contains(key, model.Name) && !File.Exists(store.UploadMark(key, model.Name)) ? "true" : "false");
        described.Set("UploadMark", store.UploadMark(key, model.Name));
        described.Set("ModelFolder", model.Folder);
        described.Set("CalibrationFile", model.Calibration);
        described.Set("Options", OptionText.Write(model.Options));
        var budgets = OptionText.Write(BudgetTable.Write(model.Budgets));
        described.Set("Budgets", budgets);
        described.Set("BudgetMark", store.BudgetMark(key, model.Name, budgets, lossKey));
        described.Set("EvaluationFile", model.Evaluation ?? "");
        described.Set("LossKey", lossKey);
        return described;
    }
}
