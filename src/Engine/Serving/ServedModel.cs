using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;

namespace MASQuant.Engine.Serving;

/// <summary>What a scheduler asks of a model.</summary>
/// <param name="Plan">Renders a conversation, which ends within a thought or not, and counts its media.</param>
/// <param name="Prepare">Embeds what follows tokens that are kept.</param>
/// <param name="NewSession">Begins a session for <see cref="MaxSequences"/> rows.</param>
/// <param name="MaxSequences">The most answers in progress.</param>
/// <param name="NewText">Begins to make text of an answer's tokens.</param>
/// <param name="Options">The model's.</param>
internal sealed record ServedModel(
    Func<IReadOnlyList<ChatMessage>, bool, CancellationToken, PromptPlan> Plan,
    Func<PromptPlan, int, CancellationToken, PreparedPrompt> Prepare,
    Func<IDecoderSession> NewSession,
    int MaxSequences,
    Func<GenerationOptions, AnswerText> NewText,
    ModelOptions Options);
