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

    /// <summary>Token id → [H].</summary>
    public TokenEmbedding Embedding { get; }

    /// <summary>Renders, tokenizes and embeds a conversation.</summary>
    /// <exception cref="MASQuantException">A medium cannot be read or is of no use to the model; MASQ0921: the prompt is longer than the model's positions; MASQ0924: anything else.</exception>
    public PreparedPrompt Prepare(IReadOnlyList<ChatMessage> messages, CancellationToken cancellationToken = default)
        => PromptBorder.Run(() => Prepare(_counter.Render(messages), cancellationToken));

    /// <summary>Embeds a rendered conversation. All media are counted before the first is decoded.</summary>
    /// <exception cref="MASQuantException">A medium cannot be read or is of no use to the model; MASQ0921: the prompt is longer than the model's positions.</exception>
    internal PreparedPrompt Prepare(TokenizedPrompt rendered, CancellationToken cancellationToken = default)
    {
        var media = new List<EncodedMedium>();
        foreach (var medium in _counter.Count(rendered))
        {
            cancellationToken.ThrowIfCancellationRequested();
            media.Add(_media.Encode(medium, cancellationToken));
        }

        return Assemble(rendered, media);
    }

    private PreparedPrompt Assemble(TokenizedPrompt rendered, List<EncodedMedium> media)
    {
        IReadOnlyList<MediaExtent> extents = [.. media.SelectMany(medium => medium.Extents)];
        var ids = PlaceholderTokens.Expand(rendered.Tokens, extents, Config);
        var modalities = PlaceholderTokens.Map(ids, Config);
        var embeddings = new Matrix(ids.Length, Config.Text.HiddenSize);
        Embedding.Lookup(ids, embeddings);
        Scatter(media, modalities, embeddings);
        var answer = rendered.Answer?.GetOffsetAndLength(ids.Length) ?? (ids.Length, 0);
        return new PreparedPrompt
        {
            InputIds = ids,
            PositionIds = PositionIds.Of(ids, extents, Config),
            InputEmbeddings = embeddings,
            Modalities = modalities,
            Deepstack = Deepstack(media, Config.Text.HiddenSize),
            AnswerRange = answer.Offset..(answer.Offset + answer.Length),
        };
    }

    private static DeepstackRows Deepstack(List<EncodedMedium> media, int columns)
    {
        EncodedMedium[] seen = [.. media.Where(medium => medium.Deepstack.Count > 0)];
        return seen.Length == 0 ? DeepstackRows.None : new DeepstackRows([.. seen[0].Deepstack.Select((_, level) => Matrix.Concatenate([.. seen.Select(medium => medium.Deepstack[level])], columns))]);
    }

    /// <summary>Puts the towers' rows where the placeholders stand: vision and audio rows each in the order of their media, and of a medium's extents.</summary>
    private static void Scatter(List<EncodedMedium> media, ModalityMap modalities, Matrix embeddings)
    {
        var token = 0;
        foreach (var medium in media)
        {
            var (seen, heard) = (0, 0);
            foreach (var extent in medium.Extents)
            {
                while (modalities[token] == Modality.Text)
                {
                    token++;
                }

                var audio = extent.Modality == Modality.Audio;
                var (rows, first) = audio ? (medium.Heard!, heard) : (medium.Seen!, seen);
                rows.Span.Slice(first * rows.Columns, extent.Tokens * rows.Columns).CopyTo(embeddings.Span[(token * embeddings.Columns)..]);
                (seen, heard) = audio ? (seen, heard + extent.Tokens) : (seen + extent.Tokens, heard);
                token += extent.Tokens;
            }
        }
    }
}
