using Microsoft.Build.Logging.StructuredLogger;

namespace MASQuant.Build.Tests;

/// <summary>What a build did, from its binary log.</summary>
internal sealed class BuildLog(int exitCode, string output, Microsoft.Build.Logging.StructuredLogger.Build? build)
{
    private const string QuantizedMark = ": quantized in ";

    public int ExitCode { get; } = exitCode;

    /// <summary>What the command printed.</summary>
    public string Output { get; } = output;

    /// <summary>The names of the models that were quantized, one entry per run.</summary>
    public IReadOnlyList<string> Quantized => [.. Nodes<Message>().Select(message => message.Text).Where(text => text.Contains(QuantizedMark)).Select(text => text[..text.IndexOf(QuantizedMark)]).Order()];

    /// <summary>How often MSBuild ran the task, whether or not there was something left to do.</summary>
    public int QuantizeTasks => Nodes<Microsoft.Build.Logging.StructuredLogger.Task>().Count(task => task.Name.EndsWith("QuantizeModel", StringComparison.Ordinal));

    /// <summary>How often models were keyed anew.</summary>
    public int KeyTasks => Nodes<Microsoft.Build.Logging.StructuredLogger.Task>().Count(task => task.Name.EndsWith("ComputeModelKeys", StringComparison.Ordinal));

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

    private IEnumerable<T> Nodes<T>()
        where T : BaseNode
        => build?.FindChildrenRecursive<T>() ?? throw new InvalidOperationException("There is no binary log.\n" + Output);
}
