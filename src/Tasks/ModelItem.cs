using MASQuant.Diagnostics;
using MASQuant.Evaluation.Budgets;
using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;
using Microsoft.Build.Framework;

namespace MASQuant.Tasks;

/// <summary>A <c>QuantizedModel</c> item, read and checked.</summary>
/// <param name="Include">As the project writes it.</param>
/// <param name="Name">The class's name.</param>
/// <param name="Folder">The checkpoint's folder, absolute.</param>
/// <param name="Calibration">The calibration set, absolute.</param>
/// <param name="Sampling">How the generated class chooses tokens by default; no part of its key.</param>
/// <param name="Pack">Whether the project's package carries the artifact; null where the project has not said. No part of its key.</param>
/// <param name="Options">The method.</param>
/// <param name="Budgets">What the result must keep to; no part of its key.</param>
/// <param name="Evaluation">The conversations of <c>MaxEvaluationLoss</c>, absolute, or null.</param>
/// <param name="ComputeAssembly">What computes unless that is managed code, or null.</param>
internal sealed record ModelItem(string Include, string Name, string Folder, string Calibration, Sampling Sampling, bool? Pack, QuantizationOptions Options, ModelBudgets Budgets, string? Evaluation, ComputeAssembly? ComputeAssembly)
{
    private const string NameWord = "Name";
    private const string CalibrationWord = "Calibration";
    private const string SamplingWord = "Sampling";
    private const string PackWord = "Pack";

    /// <summary>The metadata that mean something.</summary>
    public static IReadOnlyList<string> Words { get; } = [NameWord, CalibrationWord, SamplingWord, PackWord, .. OptionTable.All.Select(option => option.Name), .. BudgetTable.All.Select(budget => budget.Name), BudgetTable.EvaluationWord];

    /// <summary>Reads an item; relative paths are relative to <paramref name="project"/>'s folder. Empty metadata mean their default.</summary>
    /// <exception cref="MASQuantException">MASQ0502, MASQ0516, MASQ0701, MASQ0702 or MASQ0953.</exception>
    public static ModelItem Read(ITaskItem item, string project, string computeAssembly)
    {
        var words = Metadata(item);
        var projectFolder = Path.GetDirectoryName(project)!;
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(item.ItemSpec, projectFolder));
        if (!File.Exists(Path.Combine(folder, "config.json")))
        {
            throw Messages.ModelFolderMissing(project, item.ItemSpec);
        }

        if (!words.TryGetValue(CalibrationWord, out var calibration))
        {
            throw Messages.CalibrationNotGiven(project, item.ItemSpec);
        }

        var calibrationFile = Path.GetFullPath(calibration, projectFolder);
        if (!File.Exists(calibrationFile))
        {
            throw Messages.CalibrationMissing(project, item.ItemSpec, calibration);
        }

        var name = ModelName.From(words.GetValueOrDefault(NameWord, Path.GetFileName(folder)), project);
        var budgets = BudgetTable.Read(words, project);
        var (options, compute) = (OptionTable.Read(words, project), ComputeAssembly.At(computeAssembly));
        ComputeAssembly.CodeOf(options.Compute, compute, project); // Is it there?
        return new ModelItem(item.ItemSpec, name, folder, calibrationFile, ReadSampling(words, project), ReadPack(words, project), options, budgets, EvaluationFile(item, words, budgets, project), compute);
    }

    private static Sampling ReadSampling(Dictionary<string, string> words, string project)
    {
        if (!words.TryGetValue(SamplingWord, out var word))
        {
            return Sampling.Greedy;
        }

        var known = Enum.GetValues<Sampling>().Where(value => value.ToString().Equals(word, StringComparison.OrdinalIgnoreCase)).ToArray();
        return known.Length > 0 ? known[0] : throw new MASQuantException(DiagnosticCodes.OptionNotAllowed, project,
            $"{SamplingWord}='{word}' is not allowed. Allowed: {string.Join(", ", Enum.GetNames<Sampling>())}.");
    }

    private static bool? ReadPack(Dictionary<string, string> words, string project)
    {
        if (!words.TryGetValue(PackWord, out var word))
        {
            return null;
        }

        return bool.TryParse(word, out var pack) ? pack : throw new MASQuantException(DiagnosticCodes.OptionNotAllowed, project, $"{PackWord}='{word}' is not allowed. Allowed: true, false.");
    }

    private static string? EvaluationFile(ITaskItem item, Dictionary<string, string> words, ModelBudgets budgets, string project)
    {
        if (!words.TryGetValue(BudgetTable.EvaluationWord, out var evaluation))
        {
            return budgets.MaxEvaluationLoss is null ? null : throw Messages.EvaluationNotGiven(project, item.ItemSpec);
        }

        var file = Path.GetFullPath(evaluation, Path.GetDirectoryName(project)!);
        return File.Exists(file) ? file : throw Messages.EvaluationMissing(project, item.ItemSpec, evaluation);
    }

    /// <summary>What is quantized, and how; not yet where to.</summary>
    public QuantizationJob Job => new() { ModelFolder = Folder, CalibrationFile = Calibration, OutputFolder = "", Name = Name, WorkFolder = "", Options = Options, ComputeAssembly = ComputeAssembly };

    /// <summary>The item's metadata that mean nothing.</summary>
    public static IEnumerable<string> UnknownWords(ITaskItem item) => Metadata(item).Keys.Where(word => !Words.Contains(word, StringComparer.OrdinalIgnoreCase));

    private static Dictionary<string, string> Metadata(ITaskItem item)
        => item.CloneCustomMetadata().Keys.Cast<string>()
            .Select(word => (Word: word, Value: item.GetMetadata(word).Trim()))
            .Where(entry => entry.Value.Length > 0)
            .ToDictionary(entry => entry.Word, entry => entry.Value, StringComparer.OrdinalIgnoreCase);
}
