using MASQuant.Quantization.Facts;

namespace MASQuant.Cli.Output;

/// <summary>Shows a run: in a terminal as a line that is rewritten, otherwise as one line per stage outside the blocks and per finished block.</summary>
internal sealed class QuantizationReporter(CommandConsole console) : IProgress<QuantizationProgress>
{
    private const int BarWidth = 10; // All of the line fits 80 columns but for runs of hours.
    private readonly StatusLine _status = new(console);
    private readonly Lock _lock = new();
    private int _layer = -1;
    private string _printed = "";

    /// <summary>The number of decoder blocks once the run has begun with them; before, 0.</summary>
    public int Layers { get; private set; }

    public void Report(QuantizationProgress value)
    {
        lock (_lock)
        {
            Layers = value.Layer >= 0 ? value.Layers : Layers;
            if (console.ErrorIsTerminal)
            {
                _status.Show(Status(value));
            }
            else
            {
                Print(value);
            }
        }
    }

    /// <summary>Ends the rewritten line.</summary>
    public void Clear() => _status.Clear();

    /// <summary>Runs what is followed; when a person stops it, says what is kept.</summary>
    /// <param name="run">Reports here.</param>
    /// <param name="blocks">Where finished blocks are.</param>
    public T Follow<T>(Func<T> run, Func<string> blocks)
    {
        try
        {
            return run();
        }
        catch (OperationCanceledException)
        {
            Clear();
            console.Error.WriteLine(Layers > 0 ? $"Finished blocks are kept in '{blocks()}': the same command resumes." : "Nothing was written.");
            throw;
        }
        finally
        {
            Clear();
        }
    }

    private static string Status(QuantizationProgress value)
    {
        var done = (int)(Math.Clamp(value.Fraction, 0, 1) * BarWidth);
        return $"{new string('█', done)}{new string('░', BarWidth - done)} {Figures.Percent(value.Fraction, 0),3} %  {value.Message.TrimEnd('.')}{Remaining(value)}";
    }

    private void Print(QuantizationProgress value)
    {
        // A later block, or a stage outside blocks, means that the block before is finished.
        if (_layer >= 0 && value.Layer != _layer)
        {
            var done = Figures.Percent(value.Fraction, 0);
            console.Error.WriteLine(FormattableString.Invariant($"Block {_layer + 1} of {value.Layers}: finished, {done} % of the run{Remaining(value)}."));
        }

        var resumed = value.Layer >= 0 && value.Stage == QuantizationStage.Prepare;
        if ((value.Layer < 0 || resumed) && value.Message != _printed)
        {
            console.Error.WriteLine(value.Message);
            _printed = value.Message;
        }

        _layer = resumed ? -1 : value.Layer;
    }

    private static string Remaining(QuantizationProgress value) => value.Remaining is { } time ? $", {Figures.Estimate(time)} left" : "";
}
