namespace MASQuant.Formats.Schemes;

/// <summary>Linear layers of a decoder block that read the same activations. A group shares one smoothing factor per modality and one quantized activation.</summary>
public enum InputGroup
{
    /// <summary><c>q_proj</c>, <c>k_proj</c>, <c>v_proj</c>: read the output of <c>input_layernorm</c>.</summary>
    Qkv,

    /// <summary><c>o_proj</c>: reads the attention output.</summary>
    O,

    /// <summary><c>gate_proj</c>, <c>up_proj</c>: read the output of <c>post_attention_layernorm</c>.</summary>
    GateUp,

    /// <summary><c>down_proj</c>: reads SiLU(gate) ⊙ up.</summary>
    Down,
}
