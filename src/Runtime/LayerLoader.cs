using MASQuant.Diagnostics;

namespace MASQuant.Runtime;

/// <summary>Loads one quantized linear layer of an artifact: what generated code gives for <c>OmniTiny.Layers[3].Mlp.DownProj</c>.</summary>
/// <param name="layer">The decoder layer, from 0.</param>
/// <param name="name">The name inside it, <c>mlp.down_proj</c>.</param>
/// <param name="outputs">N.</param>
/// <param name="inputs">K.</param>
/// <param name="scheme">Bits of weights and activations.</param>
/// <param name="rankVision">The rank of the vision tokens' patch; 0: none.</param>
/// <param name="rankAudio">The rank of the audio tokens' patch; 0: none.</param>
public sealed class LayerLoader(int layer, string name, int outputs, int inputs, QuantizationScheme scheme, int rankVision, int rankAudio)
{
    /// <summary>The decoder layer, from 0.</summary>
    public int Layer { get; } = layer;

    /// <summary>The name inside the layer: <c>self_attn.q_proj</c> … <c>mlp.down_proj</c>.</summary>
    public string Name { get; } = name;

    /// <summary>N, the number of output features.</summary>
    public int Outputs { get; } = outputs;

    /// <summary>K, the number of input features.</summary>
    public int Inputs { get; } = inputs;

    /// <summary>Bits of weights and activations.</summary>
    public QuantizationScheme Scheme { get; } = scheme;

    /// <summary>The rank of the vision tokens' patch; 0: none.</summary>
    public int RankVision { get; } = rankVision;

    /// <summary>The rank of the audio tokens' patch; 0: none.</summary>
    public int RankAudio { get; } = rankAudio;

    /// <summary>Maps this layer's bytes and no others. Disposing the model ends the layer.</summary>
    /// <param name="artifact">The artifact that the class was generated for.</param>
    /// <exception cref="MASQuantException">MASQ0603: the artifact's layer has another shape or scheme, so it is another model's.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public QuantizedLinear Load(ModelArtifact artifact)
    {
        ArgumentNullException.ThrowIfNull(artifact);
        using var use = artifact.Users.Enter();
        var weight = artifact.Content.ReadLinear(Layer, Name);
        return (weight.Outputs, weight.Inputs, weight.Scheme) == (Outputs, Inputs, Scheme)
            ? new QuantizedLinear(weight, artifact.Content.ReadInput(Layer, Name), artifact.Users)
            : throw new MASQuantException(DiagnosticCodes.ArtifactInvalid, artifact.Path,
                $"Layer {Layer}'s {Name} is [{weight.Outputs}, {weight.Inputs}] {weight.Scheme} in the artifact and [{Outputs}, {Inputs}] {Scheme} in the program. Build the application again.");
    }
}
