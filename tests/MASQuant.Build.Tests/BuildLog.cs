using Microsoft.Build.Logging.StructuredLogger;

namespace MASQuant.Build.Tests;

/// <summary>What a build did, from its binary log.</summary>
internal sealed class BuildLog(int exitCode, string output, Microsoft.Build.Logging.StructuredLogger.Build? build)
{
    private const string QuantizedMark = ": quantized in ";
    private const string RestoredMark = ": taken from the shared cache";
    private const string DownloadedMark = ": downloaded from ";
    private const string UploadedMark = ": uploaded to ";

    public int ExitCode { get; } = exitCode;

    /// <summary>What the command printed.</summary>
    public string Output { get; } = output;

    /// <summary>The names of the models that were quantized, one entry per run.</summary>
    public IReadOnlyList<string> Quantized => Models(QuantizedMark);

    /// <summary>The models that the shared cache gave.</summary>
    public IReadOnlyList<string> Restored => Models(RestoredMark);

    /// <summary>The models that the remote cache gave.</summary>
    public IReadOnlyList<string> Downloaded => Models(DownloadedMark);

    /// <summary>The models that the remote cache took.</summary>
    public IReadOnlyList<string> Uploaded => Models(UploadedMark);

    /// <summary>Everything that was logged.</summary>
    public IEnumerable<string> Messages => Nodes<Message>().Select(message => message.Text);

    /// <summary>How often MSBuild ran the task, whether or not there was something left to do.</summary>
    public int QuantizeTasks => Nodes<Microsoft.Build.Logging.StructuredLogger.Task>().Count(task => task.Name.EndsWith("QuantizeModel", StringComparison.Ordinal));

    /// <summary>How often models were keyed anew.</summary>
    public int KeyTasks => Nodes<Microsoft.Build.Logging.StructuredLogger.Task>().Count(task => task.Name.EndsWith("ComputeModelKeys", StringComparison.Ordinal));

    /// <summary>How often models were held against their budgets.</summary>
    public int BudgetTasks => Nodes<Microsoft.Build.Logging.StructuredLogger.Task>().Count(task => task.Name.EndsWith("CheckBudgets", StringComparison.Ordinal));

    /// <summary>How often the compiler ran.</summary>
    public int Compiled => Nodes<CscTask>().Count();

    public IReadOnlyList<(string Code, string File, string Text)> Errors => [.. Nodes<Error>().Select(error => (error.Code, error.File ?? "", error.Text)).Distinct()];

    public IReadOnlyList<(string Code, string File, string Text)> Warnings => [.. Nodes<Warning>().Select(warning => (warning.Code, warning.File ?? "", warning.Text)).Distinct()];

    /// <summary>Fails the test with the build's own words when the build failed.</summary>
    public BuildLog MustSucceed()
    {
        Assert.True(ExitCode == 0, Output);
        return this;
    }

    private IReadOnlyList<string> Models(string mark) => [.. Messages.Where(text => text.Contains(mark)).Select(text => text[..text.IndexOf(mark)]).Order()];

    private IEnumerable<T> Nodes<T>()
        where T : BaseNode
        => build?.FindChildrenRecursive<T>() ?? throw new InvalidOperationException("There is no binary log.\n" + Output);
}
