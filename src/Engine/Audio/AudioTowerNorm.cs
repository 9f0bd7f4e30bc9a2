using MASQuant.Engine.Layers;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Audio;

/// <summary>A layer norm of the audio tower: gain and bias, ε = 1e-5.</summary>
public sealed class AudioTowerNorm(ITensorSource source, string name, int length)
{
    /// <summary>ε; configurations do not carry it.</summary>
    public const float Epsilon = 1e-5f;

    private readonly float[] _gain = source.ReadFloats(name + ".weight", length);
    private readonly float[] _bias = source.ReadFloats(name + ".bias", length);

    /// <summary>Normalizes the rows of <paramref name="x"/> into <paramref name="y"/>, which may be the same matrix.</summary>
    public void Apply(Matrix x, Matrix y) => LayerNorm.Apply(x, _gain, _bias, Epsilon, y);
}
