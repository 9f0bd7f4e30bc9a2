using MASQuant.Engine.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Execution;

/// <summary>What an execution is made from.</summary>
/// <param name="Source">A checkpoint or an artifact; outlives the execution.</param>
/// <param name="Config">What its <c>config.json</c> says.</param>
/// <param name="Embedding">Token id → [H].</param>
/// <param name="PrefillTokens">How many prompt tokens are evaluated at once.</param>
public sealed record ModelContent(IModelSource Source, ModelConfig Config, TokenEmbedding Embedding, int PrefillTokens)
{
    /// <summary>How the processor keeps keys and values.</summary>
    public KeyValueFormat KeyValues { get; init; }
}
