namespace MASQuant.Formats.Schemes;

/// <summary>Names of linear layers of a decoder block that read the same activations. A group shares one smoothing factor per modality and one quantized activation. Which groups a block has, and of which layers, its description says.</summary>
public enum InputGroup
{
    /// <summary>Queries, keys and values, and a gate beside them: read the normed stream.</summary>
    Qkv,

    /// <summary>What follows attention.</summary>
    O,

    /// <summary>Gate and up: read the normed stream.</summary>
    GateUp,

    /// <summary>Down: reads SiLU(gate) ⊙ up.</summary>
    Down,
}
