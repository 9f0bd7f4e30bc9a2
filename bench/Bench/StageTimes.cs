using System.Diagnostics;
using System.Globalization;
using MASQuant.Quantization.Facts;

namespace MASQuant.Bench;

/// <summary>Adds up a run's time by layer and stage, and notes the peak of the process's own memory in each layer.</summary>
internal sealed class StageTimes : IProgress<QuantizationProgress>, IDisposable
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Dictionary<(int Layer, QuantizationStage Stage), (TimeSpan Time, TimeSpan Processor)> _spent = [];
    private readonly Dictionary<int, long> _peaks = [];
    private readonly Lock _lock = new();
    private readonly Timer _timer;
    private (int Layer, QuantizationStage Stage) _now = (-1, QuantizationStage.Prepare);
    private (TimeSpan Time, TimeSpan Processor) _since = (TimeSpan.Zero, Environment.CpuUsage.TotalTime);
    private string _message = "";

    public StageTimes() => _timer = new Timer(_ => NotePeak(), null, Between, Between);

    /// <summary>The most bytes that were the process's own in a layer; −1 for what is outside layers. Pages of mapped files are not counted: the system may take them back.</summary>
    public long Peak(int layer)
    {
        lock (_lock)
        {
            return _peaks.GetValueOrDefault(layer);
        }
    }

    /// <summary>Seconds of a stage by the clock, and of the processor.</summary>
    public (double Time, double Processor) Of(int layer, QuantizationStage stage)
    {
        lock (_lock)
        {
            var (time, processor) = _spent.GetValueOrDefault((layer, stage));
            return (time.TotalSeconds, processor.TotalSeconds);
        }
    }

    /// <inheritdoc/>
    public void Report(QuantizationProgress value)
    {
        lock (_lock)
        {
            Enter((value.Layer, value.Stage));
            if (value.Message != _message)
            {
                _message = value.Message;
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_clock.Elapsed:hh\\:mm\\:ss} {value.Message}"));
            }
        }

        NotePeak();
    }

    /// <summary>Ends the last stage.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock)
        {
            Enter(_now);
        }
    }

    private void Enter((int Layer, QuantizationStage Stage) next)
    {
        var now = (Time: _clock.Elapsed, Processor: Environment.CpuUsage.TotalTime);
        var (time, processor) = _spent.GetValueOrDefault(_now);
        _spent[_now] = (time + now.Time - _since.Time, processor + now.Processor - _since.Processor);
        (_now, _since) = (next, now);
    }

    private void NotePeak()
    {
        var held = OwnBytes();
        lock (_lock)
        {
            _peaks[_now.Layer] = Math.Max(_peaks.GetValueOrDefault(_now.Layer), held);
        }
    }

    // Linux tells them apart; elsewhere the working set counts files too.
    private static long OwnBytes()
    {
        const string Status = "/proc/self/status";
        return File.Exists(Status)
            ? 1024 * long.Parse(File.ReadLines(Status).First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)
            : Environment.WorkingSet;
    }
}
