namespace MASQuant;

/// <summary>How tokens are chosen where no <see cref="GenerationOptions"/> are given.</summary>
public enum Sampling
{
    /// <summary>Always the most probable token.</summary>
    Greedy,

    /// <summary>As the model's <c>generation_config.json</c> recommends: temperature, top p, top k, minimum p and repetition penalty.</summary>
    Recommended,
}
