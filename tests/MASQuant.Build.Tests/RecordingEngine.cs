using System.Collections;
using Microsoft.Build.Framework;

namespace MASQuant.Build.Tests;

/// <summary>Lets a task run without MSBuild, and keeps what it says.</summary>
internal sealed class RecordingEngine : IBuildEngine
{
    public List<BuildMessageEventArgs> Messages { get; } = [];

    public List<string> Codes { get; } = [];

    /// <summary>Files and texts of all that was said.</summary>
    public List<string> Texts { get; } = [];

    public bool ContinueOnError => false;

    public int LineNumberOfTaskNode => 0;

    public int ColumnNumberOfTaskNode => 0;

    public string ProjectFileOfTaskNode => "";

    public bool BuildProjectFile(string projectFileName, string[] targetNames, IDictionary globalProperties, IDictionary targetOutputs) => throw new NotSupportedException();

    public void LogCustomEvent(CustomBuildEventArgs e) => throw new NotSupportedException();

    public void LogErrorEvent(BuildErrorEventArgs e) => Add(e.Code, e.File, e.Message);

    public void LogMessageEvent(BuildMessageEventArgs e)
    {
        Messages.Add(e);
        Texts.Add(e.Message ?? "");
    }

    public void LogWarningEvent(BuildWarningEventArgs e) => Add(e.Code, e.File, e.Message);

    private void Add(string code, params string?[] texts)
    {
        Codes.Add(code);
        Texts.AddRange(texts.OfType<string>());
    }
}
