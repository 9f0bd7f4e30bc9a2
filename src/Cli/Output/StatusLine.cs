using System.Diagnostics;

namespace MASQuant.Cli.Output;

/// <summary>The last line of a terminal, rewritten in place. Threads may share it.</summary>
internal sealed class StatusLine(CommandConsole console)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private readonly Stopwatch _sinceShown = Stopwatch.StartNew();
    private readonly Lock _lock = new();
    private string _shown = "";

    /// <summary>Shows a text, unless one was shown a moment ago.</summary>
    public void Show(string text)
    {
        lock (_lock)
        {
            if (_shown.Length > 0 && _sinceShown.Elapsed < Interval)
            {
                return;
            }

            _shown = text.Length < console.Width ? text : text[..(console.Width - 1)];
            console.Terminal.Write($"\r{VisibleText.Of(_shown)}\e[K");
            _sinceShown.Restart();
        }
    }

    /// <summary>Makes the line empty, for what is to stay.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            if (_shown.Length > 0)
            {
                console.Terminal.Write("\r\e[K");
                _shown = "";
            }
        }
    }
}
