using System.Diagnostics;
using Microsoft.Build.Framework;

namespace MASQuant.Tasks;

/// <summary>What a build says of a model. MSBuild's terminal logger shows of tasks' messages none but those that ask for a person; where it shows the build, ours do so: what begins and ends, a line per block, and one now and then within a long block.</summary>
/// <param name="task">The task that speaks.</param>
/// <param name="terminalLogger">MSBuild's <c>_MSBUILDTLENABLED</c>: 1 when the terminal logger shows the build.</param>
internal sealed class BuildLines(Microsoft.Build.Utilities.Task task, string terminalLogger)
{
    // Credential providers write this word. Here it is a parameter of the sequence that ends a link, where none began: nothing is seen of it.
    private const string Mark = "\e]8;id=--interactive;\e\\";
    private static readonly TimeSpan BetweenBlocks = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan BetweenSteps = TimeSpan.FromSeconds(30);
    private readonly Stopwatch _sinceShown = new();

    /// <summary>Says a line.</summary>
    public void Say(BuildMessageEventArgs line)
    {
        if (terminalLogger != "1")
        {
            task.BuildEngine.LogMessageEvent(line);
            return;
        }

        _sinceShown.Restart();
        task.BuildEngine.LogMessageEvent(ModelEvents.Marked(Mark, line));
    }

    /// <summary>Says one of many lines; a terminal shows it if the last was some time ago.</summary>
    public void SayPaced(BuildMessageEventArgs line)
    {
        var pause = line.Importance == MessageImportance.High ? BetweenBlocks : BetweenSteps;
        if (_sinceShown.IsRunning && _sinceShown.Elapsed < pause)
        {
            task.BuildEngine.LogMessageEvent(line);
        }
        else
        {
            Say(line);
        }
    }
}
