using System.Diagnostics;
using MASQuant.Evaluation.Tuning;
using MASQuant.Quantization.Facts;

namespace MASQuant.Cli.Output;

/// <summary>Shows how far a tuning is: in a terminal as a line that is rewritten, otherwise a line per finished step.</summary>
/// <param name="console">Where to.</param>
/// <param name="points">The most settings that are quantized.</param>
internal sealed class TuningReporter(CommandConsole console, int points) : ITuningProgress, IProgress<QuantizationProgress>
{
    // A measurement takes about as long as so many quantizations with learning; it only shapes the estimate of the time left.
    private const double MeasurementEffort = 0.5;

    private readonly StatusLine _status = new(console);
    private readonly Stopwatch _clock = new();
    private string _step = "";
    private double _effort;
    private double _spent;
    private int _done;

    public void Report(QuantizationProgress value) => Show(value.Fraction);

    /// <summary>Shows the share of the measurement that is done.</summary>
    public void Measured(double fraction) => Show(fraction);

    /// <summary>Begins a step.</summary>
    public void Begin(string step)
    {
        _clock.Start();
        _step = step;
        _effort = _done == 0 && _spent == 0 && !step.StartsWith("Point", StringComparison.Ordinal) ? MeasurementEffort : 1;
        if (!console.ErrorIsTerminal)
        {
            console.Error.WriteLine($"{step}.");
        }
    }

    /// <summary>Notes that an earlier run has done a step.</summary>
    public void Reuse(string step)
    {
        _status.Clear();
        console.Error.WriteLine($"{step}: made by an earlier run.");
        _done++;
    }

    /// <summary>Ends a step for which a cache had the artifact.</summary>
    public void Take()
    {
        _done++;
        _status.Clear();
        console.Error.WriteLine($"{_step}: taken from a cache.");
    }

    /// <summary>Ends a step.</summary>
    public void Finish()
    {
        _spent += _effort;
        _done++;
        _status.Clear();
        console.Error.WriteLine($"{_step}: finished{Remaining(0)}.");
    }

    /// <summary>Ends the rewritten line.</summary>
    public void Clear() => _status.Clear();

    private void Show(double fraction)
    {
        if (console.ErrorIsTerminal)
        {
            _status.Show($"{_step}: {Figures.Percent(fraction, 0),3} %{Remaining(fraction * _effort)}");
        }
    }

    // The first steps are the measurement and the points; which points are needed is seen on the way.
    private string Remaining(double begun)
    {
        var left = points + 1 - _done - (begun / Math.Max(_effort, MeasurementEffort));
        return _spent + begun > 0.05 && left > 0 ? $", at most {Figures.Estimate(_clock.Elapsed / (_spent + begun) * left)} left" : "";
    }
}
