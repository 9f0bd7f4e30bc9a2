namespace MASQuant;

/// <summary>How keys and values of the tokens that an answer has seen are kept.</summary>
public enum KeyValueFormat
{
    /// <summary>32 bits each, as they were computed.</summary>
    Float32,

    /// <summary>16 bits each, rounded to BF16: half the memory, and half of what a long prompt's tokens read at each step.</summary>
    BFloat16,
}
