using System.Diagnostics;
using System.Globalization;
using MASQuant.Cli.Output;

namespace MASQuant.Cli.Evaluation;

/// <summary>Shows how many conversations are done: in a terminal as a line that is rewritten, otherwise a line every tenth.</summary>
internal sealed class EvaluationReporter(CommandConsole console, int total) : IProgress<int>
{
    private const int Lines = 10;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly StatusLine _status = new(console);
    private readonly Lock _lock = new();
    private int _printed;

    public void Report(int value)
    {
        var remaining = _clock.Elapsed * ((double)(total - value) / value);
        var text = string.Create(CultureInfo.InvariantCulture, $"{value} of {total} conversations, {Figures.Estimate(remaining)} left");
        if (console.ErrorIsTerminal)
        {
            _status.Show(text);
            return;
        }

        lock (_lock)
        {
            var tenth = (int)((long)value * Lines / total);
            if (tenth > _printed)
            {
                _printed = tenth;
                console.Error.WriteLine(text);
            }
        }
    }

    /// <summary>Ends the rewritten line.</summary>
    public void Clear() => _status.Clear();
}
