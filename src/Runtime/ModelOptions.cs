using MASQuant.Gemm;
using MASQuant.Generation;

namespace MASQuant;

/// <summary>How a model is run. None of it changes an answer.</summary>
public sealed record ModelOptions
{
    /// <summary>How many prompt tokens are evaluated at once: more is faster, up to a point, and takes more memory.</summary>
    public int PrefillTokens { get; init; } = DecoderSession.DefaultPrefillTokens;

    /// <summary>What executes quantized layers; null for the processor at hand.</summary>
    public IGemmBackend? Backend { get; init; }
}
