namespace MASQuant.Quantization.Planning;

/// <summary>Which part of a model a tensor belongs to.</summary>
public static class ModelPart
{
    /// <summary>The decoder's linear layers, which are quantized.</summary>
    public const string Quantized = "decoder layers";

    /// <summary>The tables of the vocabulary.</summary>
    public const string EmbeddingAndHead = "embedding and head";

    /// <summary>What sees.</summary>
    public const string VisionTower = "vision tower";

    /// <summary>What hears.</summary>
    public const string AudioTower = "audio tower";

    /// <summary>What guesses ahead.</summary>
    public const string GuessHead = "head that guesses ahead";

    /// <summary>The part's name; <paramref name="quantized"/> holds the names of the tensors that are quantized.</summary>
    public static string Of(string tensor, IReadOnlySet<string> quantized) => tensor.Split('.')[0] switch
    {
        "visual" => VisionTower,
        "audio_tower" => AudioTower,
        "mtp" => GuessHead,
        _ when quantized.Contains(tensor) => Quantized,
        _ when tensor.Contains("embed_tokens", StringComparison.Ordinal) || tensor.StartsWith("lm_head", StringComparison.Ordinal) => EmbeddingAndHead,
        _ => "norms and biases",
    };
}
