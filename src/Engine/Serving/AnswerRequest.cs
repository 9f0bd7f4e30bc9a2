using System.Threading.Channels;
using MASQuant.Engine.Constraints;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;

namespace MASQuant.Engine.Serving;

/// <summary>A prompt on its way to its answer.</summary>
internal sealed class AnswerRequest
{
    private readonly Channel<BatchPiece> _pieces = Channel.CreateUnbounded<BatchPiece>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private readonly List<int> _answer = [];
    private readonly AnswerText _text;
    private readonly bool _thinks;
    private BatchPiece? _last;

    /// <summary>A prompt that waits.</summary>
    /// <param name="messages">What is asked.</param>
    /// <param name="options">Validated.</param>
    /// <param name="stopTokens">Ids that end the answer.</param>
    /// <param name="grammar">What the answer is held to; null: nothing.</param>
    /// <param name="model">Who answers.</param>
    /// <param name="cancellation">Ends it.</param>
    public AnswerRequest(IReadOnlyList<ChatMessage> messages, GenerationOptions options, IReadOnlyList<int> stopTokens, TokenGrammar? grammar, ServedModel model, CancellationToken cancellation)
    {
        (Messages, Cancellation) = (messages, cancellation);
        Sequence = new Sequence(0, options, stopTokens, grammar);
        _thinks = options.Thinks;
        _text = model.NewText(options);
    }

    public IReadOnlyList<ChatMessage> Messages { get; }

    public CancellationToken Cancellation { get; }

    public Sequence Sequence { get; }

    /// <summary>Its pieces, as they come; ends with what it fails with.</summary>
    public ChannelReader<BatchPiece> Pieces => _pieces.Reader;

    /// <summary>Once it is prepared.</summary>
    public PreparedPrompt? Prompt { get; private set; }

    /// <summary>What holds the first tokens of <see cref="Prompt"/>.</summary>
    public IKeptTokens? Kept { get; private set; }

    private PromptTokens? Tokens { get; set; }

    /// <summary>Whether nobody waits for its answer.</summary>
    public bool IsLeft => Cancellation.IsCancellationRequested;

    /// <summary>Embeds its prompt behind the tokens that a cache has.</summary>
    public void Prepare(ServedModel model, PrefixCache cache)
    {
        var plan = model.Plan(Messages, _thinks, Cancellation);
        Tokens = cache.IsUsed ? plan.Identify(model.Options.Limits, Cancellation) : null;
        (Kept, var evaluated, var shared) = Tokens is null ? (null, 0, 0) : cache.Find(Tokens);
        Prompt = model.Prepare(plan, evaluated, Cancellation) with { SharedTokens = cache.IsUsed ? shared : null };
        Sequence.Begin(Prompt.InputIds, evaluated);
    }

    /// <summary>Gives out what the last token of its sequence completes; the last piece waits for <see cref="Leave"/>.</summary>
    public void Give()
    {
        _answer.Add(Sequence.Token);
        if (_text.Add(Sequence) is not { } piece)
        {
            return;
        }

        if (piece.IsLast)
        {
            _last = piece;
        }
        else
        {
            _pieces.Writer.TryWrite(piece);
        }
    }

    /// <summary>Leaves what is kept of it to later prompts, then ends: who reads its last piece finds it there.</summary>
    public void Leave(IKeptTokens? kept, PrefixCache cache)
    {
        if (kept is not null && Tokens is not null)
        {
            cache.Add(Tokens.Then(_answer.Take(kept.Length - Tokens.Ids.Length)), kept);
        }

        if (_last is { Error: null } last)
        {
            _pieces.Writer.TryWrite(last);
        }

        End(_last is null ? new OperationCanceledException(Cancellation) : Sequence.Error);
    }

    /// <summary>Ends it, with an error or without.</summary>
    public void End(Exception? error) => _pieces.Writer.TryComplete(error);
}
