using System.Diagnostics;
using MASQuant.Evaluation.Comparison;
using MASQuant.Quantization.Facts;

namespace MASQuant.Cli.Output;

/// <summary>Shows how far several quantizations are: in a terminal as a line that is rewritten, otherwise a line per finished model.</summary>
/// <param name="console">Where to.</param>
/// <param name="models">All models, in order.</param>
/// <param name="effort">The effort of those that an earlier run did not leave.</param>
internal sealed class ComparisonReporter(CommandConsole console, IReadOnlyList<ComparedModel> models, double effort) : IProgress<QuantizationProgress>
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly StatusLine _status = new(console);
    private int _current;
    private double _effort = effort;
    private double _spent;

    public void Report(QuantizationProgress value)
    {
        if (console.ErrorIsTerminal)
        {
            _status.Show($"{Label}: {Figures.Percent(value.Fraction, 0),3} %{Remaining(value.Fraction * models[_current].Effort)}");
        }
    }

    /// <summary>Begins with a model.</summary>
    public void Begin(int model) => _current = model;

    /// <summary>Notes that the model was there already.</summary>
    public void Reuse() => Print("made by an earlier run");

    /// <summary>Notes that a cache had the model.</summary>
    public void Take()
    {
        _effort -= models[_current].Effort;
        Print("taken from a cache");
    }

    /// <summary>Notes that the model is quantized.</summary>
    public void Finish()
    {
        _spent += models[_current].Effort;
        Print($"quantized{Remaining(0)}");
    }

    /// <summary>Ends the rewritten line.</summary>
    public void Clear() => _status.Clear();

    private string Label => $"Model {_current + 1} of {models.Count}, {models[_current].Label}";

    private void Print(string what)
    {
        _status.Clear();
        console.Error.WriteLine($"{Label}: {what}.");
    }

    private string Remaining(double begun)
    {
        var done = _spent + begun;
        return done > 0 && done < _effort ? $", {Figures.Estimate(_clock.Elapsed * ((_effort - done) / done))} left before the evaluation" : "";
    }
}
