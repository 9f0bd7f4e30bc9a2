using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Layers;

/// <summary>Makes the quantized input groups of a model, where their weights are to be: the seam between a decoder's reader and what multiplies. What makes groups decides what they share and how long they can be used.</summary>
public interface ILinearGroups
{
    /// <summary>Groups weights that share their input.</summary>
    /// <param name="weights">[N_i, K] each, of one scheme, in the order of their step's layers; their memory outlives the group.</param>
    /// <param name="input">What is done to their input.</param>
    /// <exception cref="ArgumentException">The weights differ in K or scheme, or parts or factors do not fit their shapes.</exception>
    ILinearGroup Create(IReadOnlyList<QuantizedWeight> weights, InputTransform input);
}
