namespace MASQuant.Formats.Configuration;

/// <summary>What holds of a decoder where <c>config.json</c> says nothing, as far as families differ in it.</summary>
/// <param name="HiddenSize">H.</param>
/// <param name="Layers">Decoder blocks.</param>
/// <param name="IntermediateSize">The width between gate/up and down.</param>
/// <param name="AttentionHeads">Query heads.</param>
/// <param name="KeyValueHeads">Key and value heads.</param>
/// <param name="RmsNormEpsilon">ε of the RMS norms.</param>
public sealed record TextDefaults(int HiddenSize, int Layers, int IntermediateSize, int AttentionHeads, int KeyValueHeads, double RmsNormEpsilon);
