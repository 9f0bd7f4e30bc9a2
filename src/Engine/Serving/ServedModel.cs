using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;
using MASQuant.Engine.Text;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Serving;

/// <summary>What a scheduler asks of a model.</summary>
/// <param name="Plan">Renders a conversation, which ends within a thought or not, and counts its media.</param>
/// <param name="Prepare">Embeds what follows tokens that are kept.</param>
/// <param name="NewSession">Begins a session for <see cref="MaxSequences"/> rows.</param>
/// <param name="MaxSequences">The most answers in progress.</param>
/// <param name="Tokenizer">Makes text of tokens.</param>
/// <param name="Thought">How its thoughts are written; null: it has none.</param>
/// <param name="Options">The model's.</param>
internal sealed record ServedModel(
    Func<IReadOnlyList<ChatMessage>, bool, CancellationToken, PromptPlan> Plan,
    Func<PromptPlan, int, CancellationToken, PreparedPrompt> Prepare,
    Func<IDecoderSession> NewSession,
    int MaxSequences,
    Tokenizer Tokenizer,
    ThoughtFormat? Thought,
    ModelOptions Options);
