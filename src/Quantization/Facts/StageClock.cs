using MASQuant.Platform;

namespace MASQuant.Quantization.Facts;

/// <summary>Adds up the time of a run by stage.</summary>
internal sealed class StageClock
{
    private readonly Dictionary<QuantizationStage, TimeSpan> _spent = [];
    private readonly Lock _lock = new();
    private QuantizationStage? _stage;
    private long _since;

    /// <summary>Begins a stage, or goes on with it; the one before ends.</summary>
    public void Enter(QuantizationStage stage)
    {
        lock (_lock)
        {
            if (_stage != stage)
            {
                Close();
                (_stage, _since) = (stage, Clock.Current.GetTimestamp());
            }
        }
    }

    /// <summary>Ends the stage, gives seconds by stage, and starts again from nothing.</summary>
    public SortedDictionary<string, double> Take()
    {
        lock (_lock)
        {
            Close();
            _stage = null;
            var seconds = new SortedDictionary<string, double>(_spent.ToDictionary(pair => pair.Key.ToString(), pair => Math.Round(pair.Value.TotalSeconds, 3)), StringComparer.Ordinal);
            _spent.Clear();
            return seconds;
        }
    }

    private void Close()
    {
        if (_stage is { } stage)
        {
            _spent[stage] = _spent.GetValueOrDefault(stage) + Clock.Current.GetElapsedTime(_since);
        }
    }
}
