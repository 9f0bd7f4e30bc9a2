using MASQuant.Formats.Models;

namespace MASQuant.Engine.Layers;

/// <summary>What a sequence's tokens have left in one decoder block: keys and values of each, or a state of constant size and the window of a convolution, as its steps ask for them.</summary>
/// <param name="format">How keys and values are kept.</param>
public sealed class LayerMemory(KeyValueFormat format = KeyValueFormat.Float32)
{
    private KvCacheLayer? _keysAndValues;
    private ConvolutionWindow? _window;
    private DeltaState? _state;

    /// <summary>The number of tokens held.</summary>
    public int Length => _keysAndValues?.Length ?? _state?.Length ?? 0;

    /// <summary>Whether it holds a state, of which the last is there and not those before.</summary>
    internal bool HasState => _state is not null;

    /// <summary>What it takes of memory.</summary>
    internal long Bytes => (_keysAndValues?.Bytes ?? 0) + (_window?.Bytes ?? 0) + (_state?.Bytes ?? 0);

    /// <summary>Whether what enters the state in a pass is kept, so that its tokens can be forgotten from any of them on.</summary>
    internal bool KeepsPasses { get; set; }

    /// <summary>Keys and values for a step.</summary>
    internal KvCacheLayer KeysAndValues(AttendStep step) => _keysAndValues is { } there && there.Fits(step.KeyValueHeads, step.HeadSize) ? there : _keysAndValues = new KvCacheLayer(step.KeyValueHeads, step.HeadSize, format);

    /// <summary>The window of a step.</summary>
    internal ConvolutionWindow Window(ConvolveStep step) => _window is { } there && there.Fits(step) ? there : _window = new ConvolutionWindow(step);

    /// <summary>The state of a step.</summary>
    internal DeltaState State(DeltaRuleStep step) => _state is { } there && there.Fits(step) ? there : _state = new DeltaState(step);

    /// <summary>Takes the first <paramref name="length"/> tokens of another in place of its own.</summary>
    /// <param name="other">Is not changed.</param>
    /// <param name="length">How many.</param>
    /// <param name="states">What <see cref="CopyStates"/> gave behind these; null: its states are those.</param>
    internal void CopyFrom(LayerMemory other, int length, float[]? states)
    {
        if (other._keysAndValues is { } keys)
        {
            (_keysAndValues ??= keys.NewLike()).CopyFrom(keys, length);
        }

        if (other._window is { } window && other._state is { } state)
        {
            states ??= other.CopyStates();
            (_window ??= window.NewLike()).Set(states.AsSpan(0, window.Size), length);
            (_state ??= state.NewLike()).Set(states.AsSpan(window.Size), length);
        }
    }

    /// <summary>The state and the window, copied; empty where there are none.</summary>
    internal float[] CopyStates() => _window is null || _state is null ? [] : [.. _window.Current, .. _state.Current];

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    internal void Truncate(int length)
    {
        _keysAndValues?.Truncate(length);
        _window?.Truncate(length);
        _state?.Truncate(length);
    }
}
