using MASQuant.Engine.Layers;

namespace MASQuant.Quantization.Smoothing;

/// <summary>One pass through a simulated block, forward with values or backward with gradients.</summary>
/// <param name="stream">The residual stream, [T, H], or its gradient.</param>
/// <param name="modalities">T entries.</param>
/// <param name="rotary">The T positions.</param>
/// <param name="deepstack">What the vision tower has left for the first blocks.</param>
internal sealed class SimulatedRun(Matrix stream, ModalityMap modalities, RotaryTable rotary, DeepstackRows deepstack)
{
    private readonly List<Matrix> _values = [];

    /// <summary>The residual stream, [T, H], or its gradient.</summary>
    public Matrix Stream { get; set; } = stream;

    /// <summary>T entries.</summary>
    public ModalityMap Modalities => modalities;

    /// <summary>The T positions.</summary>
    public RotaryTable Rotary => rotary;

    /// <summary>What the vision tower has left for the first blocks.</summary>
    public DeepstackRows Deepstack => deepstack;

    /// <summary>What steps hand on, first what was computed last.</summary>
    public IReadOnlyList<Matrix> Values => _values;

    /// <summary>Takes the first value.</summary>
    public Matrix Take() => Take(1)[0];

    /// <summary>Takes the first values.</summary>
    public Matrix[] Take(int count)
    {
        Matrix[] taken = [.. _values.Take(count)];
        _values.RemoveRange(0, count);
        return taken;
    }

    /// <summary>Puts values before the others.</summary>
    public void Put(params Matrix[] values) => _values.InsertRange(0, values);
}
