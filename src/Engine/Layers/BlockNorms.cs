namespace MASQuant.Engine.Layers;

/// <summary>The gains of a decoder block's two RMS norms, H values each.</summary>
/// <param name="Input">Of <c>input_layernorm</c>, before attention.</param>
/// <param name="PostAttention">Of <c>post_attention_layernorm</c>, before the MLP.</param>
public sealed record BlockNorms(float[] Input, float[] PostAttention);
