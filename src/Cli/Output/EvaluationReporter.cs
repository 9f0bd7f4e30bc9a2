using System.Diagnostics;
using System.Globalization;
using MASQuant.Evaluation.Scores;

namespace MASQuant.Cli.Output;

/// <summary>Shows how many conversations are done: in a terminal as a line that is rewritten, otherwise a line every tenth.</summary>
internal sealed class EvaluationReporter(CommandConsole console) : IEvaluationLog
{
    private const int Lines = 10;
    private readonly Stopwatch _clock = new();
    private readonly StatusLine _status = new(console);
    private readonly Lock _lock = new();
    private int _total;
    private int _printed;

    /// <summary>Evaluates, and shows how far it is.</summary>
    /// <exception cref="MASQuantException">Bad input, with its code, file and remedy.</exception>
    public static IReadOnlyList<EvaluationResult> Follow(CommandConsole console, EvaluationJob job, CancellationToken cancellationToken)
    {
        var reporter = new EvaluationReporter(console);
        try
        {
            return EvaluationRun.Run(job, reporter, cancellationToken);
        }
        finally
        {
            reporter._status.Clear();
        }
    }

    public void Begin(int conversations)
    {
        _total = conversations;
        _clock.Restart();
    }

    public void Warn(MASQuantException problem) => console.Warn(problem);

    public void Report(int value)
    {
        var remaining = _clock.Elapsed * ((double)(_total - value) / value);
        var text = string.Create(CultureInfo.InvariantCulture, $"{value} of {_total} conversations, {Figures.Estimate(remaining)} left");
        if (console.ErrorIsTerminal)
        {
            _status.Show(text);
            return;
        }

        lock (_lock)
        {
            var tenth = (int)((long)value * Lines / _total);
            if (tenth > _printed)
            {
                _printed = tenth;
                console.Error.WriteLine(text);
            }
        }
    }
}
