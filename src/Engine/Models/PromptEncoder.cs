using MASQuant.Engine.Audio;
using MASQuant.Engine.Chat;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Text;
using MASQuant.Engine.Vision;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Models;

/// <summary>Turns conversations into what the decoder takes: chat format, tokens, media through their towers, positions. Holds everything of a model but its decoder blocks. Threads may share it.</summary>
public sealed class PromptEncoder
{
    private const string TokenizerFileName = "tokenizer.json";
    private readonly PromptCounter _counter;
    private readonly MediaEncoder _media;

    /// <summary>Reads tokenizer, preprocessors, embedding and towers.</summary>
    /// <param name="source">Must outlive this.</param>
    /// <param name="config">What <c>config.json</c> of <paramref name="source"/> says.</param>
    /// <param name="budget">How many pixels images keep; null: what the processor takes unasked.</param>
    /// <exception cref="MASQuantException">A file or tensor is missing, malformed or of another shape.</exception>
    public PromptEncoder(IModelSource source, ModelConfig config, ImageBudget? budget = null)
        : this(source, config, ReadTokenizer(source, config), TokenEmbedding.Of(source, config.Decoder()), new VisionTower(source, config.VisionTower()), config.AudioTower() is { } audio ? new AudioTower(source, audio) : null, budget)
    {
    }

    /// <summary>As the other constructor, with what has been read already.</summary>
    public PromptEncoder(IModelSource source, ModelConfig config, Tokenizer tokenizer, TokenEmbedding embedding, IVisionTower vision, IAudioTower? audio, ImageBudget? budget = null)
    {
        (Config, Tokenizer, Embedding) = (config, tokenizer, embedding);
        _counter = new PromptCounter(source, config, tokenizer, budget);
        _media = new MediaEncoder(_counter.Media, vision, audio);
    }

    /// <summary>Reads <c>tokenizer.json</c> of a checkpoint or an artifact.</summary>
    /// <exception cref="MASQuantException">The file is missing or malformed.</exception>
    public static Tokenizer ReadTokenizer(IModelSource source, ModelConfig config) => Tokenizer.Load(source.ReadFile(TokenizerFileName), Path.Combine(source.Path, TokenizerFileName), config.ControlTokens);

    /// <summary>The model's facts.</summary>
    public ModelConfig Config { get; }

    /// <summary>The model's tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>How the model's thoughts are written; null: it has none.</summary>
    public ThoughtFormat? Thought => ChatRenderer.ThoughtOf(Config, Tokenizer);

    /// <summary>Token id → [H].</summary>
    public TokenEmbedding Embedding { get; }

    /// <summary>Renders, tokenizes and embeds a conversation.</summary>
    /// <exception cref="MASQuantException">A medium cannot be read or is of no use to the model; MASQ0921: the prompt is longer than the model's positions; MASQ0924: anything else.</exception>
    public PreparedPrompt Prepare(IReadOnlyList<ChatMessage> messages, CancellationToken cancellationToken = default) => Prepare(Plan(messages, thinks: false, cancellationToken), 0, cancellationToken);

    /// <summary>Embeds a rendered conversation. All media are counted before the first is decoded.</summary>
    /// <exception cref="MASQuantException">A medium cannot be read or is of no use to the model; MASQ0921: the prompt is longer than the model's positions.</exception>
    internal PreparedPrompt Prepare(TokenizedPrompt rendered, CancellationToken cancellationToken = default) => Prepare(Plan(rendered, cancellationToken), 0, cancellationToken);

    /// <summary>Renders and tokenizes a conversation, and counts its media; nothing is decoded or embedded.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="thinks">Whether it ends within a thought.</param>
    /// <param name="cancellationToken">Obeyed between media.</param>
    /// <exception cref="MASQuantException">As of <see cref="Prepare(IReadOnlyList{ChatMessage}, CancellationToken)"/>; MASQ0904: the model does not think.</exception>
    public PromptPlan Plan(IReadOnlyList<ChatMessage> messages, bool thinks = false, CancellationToken cancellationToken = default) => PromptBorder.Run(() => Plan(_counter.Render(messages, thinks), cancellationToken));

    /// <summary>Refuses a model that does not think.</summary>
    /// <exception cref="MASQuantException">MASQ0904</exception>
    public void RequireThought() => _ = ChatRenderer.RequireThought(Config, Tokenizer);

    /// <summary>Embeds what follows the first <paramref name="evaluated"/> tokens of a prompt; what stands before is not looked at again.</summary>
    /// <param name="plan">The prompt.</param>
    /// <param name="evaluated">Tokens whose keys and values are there already: fewer than all, and no part of a medium (<see cref="PromptTokens.CommonLength"/>).</param>
    /// <param name="cancellationToken">Obeyed between the towers' blocks.</param>
    /// <exception cref="MASQuantException">A medium cannot be decoded.</exception>
    public PreparedPrompt Prepare(PromptPlan plan, int evaluated, CancellationToken cancellationToken = default) => PromptBorder.Run(() => Embed(plan, evaluated, cancellationToken));

    private PromptPlan Plan(TokenizedPrompt rendered, CancellationToken cancellationToken)
    {
        var media = _counter.Count(rendered, cancellationToken);
        IReadOnlyList<MediaExtent> extents = [.. media.SelectMany(medium => medium.Extents)];
        var ids = PlaceholderTokens.Expand(rendered.Tokens, extents, Config);
        return new PromptPlan(rendered, media, ids, PositionIds.Of(ids, extents, Config), PlaceholderTokens.Map(ids, Config));
    }

    private PreparedPrompt Embed(PromptPlan plan, int evaluated, CancellationToken cancellationToken)
    {
        var media = new List<EncodedMedium>();
        foreach (var medium in plan.MediaFrom(evaluated))
        {
            cancellationToken.ThrowIfCancellationRequested();
            media.Add(_media.Encode(medium, cancellationToken));
        }

        var ids = plan.Ids;
        var embeddings = new Matrix(ids.Length - evaluated, Config.Text.HiddenSize);
        Embedding.Lookup(ids.AsSpan(evaluated), embeddings);
        Scatter(media, plan.Modalities, evaluated, embeddings);
        var answer = plan.Rendered.Answer?.GetOffsetAndLength(ids.Length) ?? (ids.Length, 0);
        return new PreparedPrompt
        {
            InputIds = ids,
            PositionIds = plan.Positions,
            Evaluated = evaluated,
            InputEmbeddings = embeddings,
            Modalities = plan.Modalities,
            Deepstack = Deepstack(media, Config.Text.HiddenSize),
            AnswerRange = answer.Offset..(answer.Offset + answer.Length),
            Thinks = plan.Rendered.Thinks,
        };
    }

    private static DeepstackRows Deepstack(List<EncodedMedium> media, int columns)
    {
        EncodedMedium[] seen = [.. media.Where(medium => medium.Deepstack.Count > 0)];
        return seen.Length == 0 ? DeepstackRows.None : new DeepstackRows([.. seen[0].Deepstack.Select((_, level) => Matrix.Concatenate([.. seen.Select(medium => medium.Deepstack[level])], columns))]);
    }

    /// <summary>Puts the towers' rows where the placeholders stand: vision and audio rows each in the order of their media, and of a medium's extents.</summary>
    private static void Scatter(List<EncodedMedium> media, ModalityMap modalities, int evaluated, Matrix embeddings)
    {
        var token = evaluated;
        foreach (var medium in media)
        {
            var (seen, heard) = (0, 0);
            foreach (var extent in medium.Extents)
            {
                token = PlaceholderTokens.Next(modalities, token);
                var audio = extent.Modality == Modality.Audio;
                var (rows, first) = audio ? (medium.Heard!, heard) : (medium.Seen!, seen);
                rows.Span.Slice(first * rows.Columns, extent.Tokens * rows.Columns).CopyTo(embeddings.Span[((token - evaluated) * embeddings.Columns)..]);
                (seen, heard) = audio ? (seen, heard + extent.Tokens) : (seen + extent.Tokens, heard);
                token += extent.Tokens;
            }
        }
    }
}
