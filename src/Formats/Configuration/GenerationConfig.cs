namespace MASQuant.Formats.Configuration;

/// <summary>What <c>generation_config.json</c> says of how answers are made; defaults of transformers.</summary>
public sealed record GenerationConfig
{
    /// <summary>The tokens that end an answer; empty when neither file names one.</summary>
    public IReadOnlyList<int> EndTokenIds { get; init; } = [];

    /// <summary>Whether tokens are drawn at random rather than taken greedily.</summary>
    public bool Sample { get; init; }

    /// <summary>Divides the logits before sampling.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>The probability mass that sampling keeps; 1 keeps all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>The number of tokens that sampling keeps; 0 keeps all.</summary>
    public int TopK { get; init; } = 50;

    /// <summary>The portion of the largest probability that a token needs; 0 keeps all.</summary>
    public double MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens seen before; 1 changes nothing.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Is subtracted from the logit of every token that the answer holds; 0 changes nothing.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Is subtracted from a token's logit for each time that the answer holds it; 0 changes nothing.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>The most tokens of an answer; null: the file does not say.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>Texts that end an answer.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];
}
