using MASQuant.Tasks;
using Microsoft.Build.Framework;
using Microsoft.Build.Logging.StructuredLogger;

namespace MASQuant.Build.Tests;

/// <summary>What a build did, from its binary log: by the names of tasks, and the codes of messages and diagnostics, never by words.</summary>
internal sealed class BuildLog(int exitCode, string output, IReadOnlyList<string> files)
{
    private readonly Lazy<BuildEventArgs[]> _events = new(() => files.Count > 0
        ? [.. files.SelectMany(file => new BinLogReader().ReadRecords(File.ReadAllBytes(file))).Select(record => record.Args).OfType<BuildEventArgs>()]
        : throw new InvalidOperationException("There is no binary log.\n" + output));

    public int ExitCode { get; } = exitCode;

    /// <summary>What the command printed.</summary>
    public string Output { get; } = output;

    /// <summary>The names of the models that were quantized, one entry per run.</summary>
    public IReadOnlyList<string> Quantized => Models(ModelEvents.Quantized);

    /// <summary>The models that the shared cache gave.</summary>
    public IReadOnlyList<string> Restored => Models(ModelEvents.Restored);

    /// <summary>The models that the remote cache gave.</summary>
    public IReadOnlyList<string> Downloaded => Models(ModelEvents.Downloaded);

    /// <summary>The models that the remote cache took.</summary>
    public IReadOnlyList<string> Uploaded => Models(ModelEvents.Uploaded);

    /// <summary>The models that had to wait for another build.</summary>
    public IReadOnlyList<string> Waiting => Models(ModelEvents.Waiting);

    /// <summary>How many blocks an earlier run had finished.</summary>
    public int ResumedBlocks => Models(ModelEvents.BlockResumed).Count;

    /// <summary>Everything that was logged.</summary>
    public IEnumerable<string> Messages => _events.Value.Select(entry => entry.Message ?? "");

    /// <summary>How often MSBuild ran the task, whether or not there was something left to do.</summary>
    public int QuantizeTasks => Runs("MASQuant.Tasks.QuantizeModel");

    /// <summary>How often models were keyed anew.</summary>
    public int KeyTasks => Runs("MASQuant.Tasks.ComputeModelKeys");

    /// <summary>How often models were held against their budgets.</summary>
    public int BudgetTasks => Runs("MASQuant.Tasks.CheckBudgets");

    /// <summary>How often the compiler ran.</summary>
    public int Compiled => Runs("Csc");

    public IReadOnlyList<(string Code, string File, string Text)> Errors
        => [.. _events.Value.OfType<BuildErrorEventArgs>().Select(error => (error.Code, error.File ?? "", error.Message ?? "")).Distinct()];

    public IReadOnlyList<(string Code, string File, string Text)> Warnings
        => [.. _events.Value.OfType<BuildWarningEventArgs>().Select(warning => (warning.Code, warning.File ?? "", warning.Message ?? "")).Distinct()];

    /// <summary>Fails the test with the build's own words when the build failed.</summary>
    public BuildLog MustSucceed()
    {
        Assert.True(ExitCode == 0, Output);
        return this;
    }

    /// <summary>What the messages of a code say.</summary>
    public IReadOnlyList<string> TextsOf(string code) => [.. MessagesOf(code).Select(message => message.Message ?? "")];

    private IReadOnlyList<string> Models(string code) => [.. MessagesOf(code).Select(message => message.Subcategory).Order()];

    private IEnumerable<BuildMessageEventArgs> MessagesOf(string code) => _events.Value.OfType<BuildMessageEventArgs>().Where(message => message.Code == code);

    private int Runs(string task) => _events.Value.OfType<TaskStartedEventArgs>().Count(entry => entry.TaskName == task);
}
