using MASQuant.Engine.Chat;
using MASQuant.Engine.Text;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Models;

/// <summary>Counts a conversation's tokens by its text and its media's headers, before anything is computed for it. Threads may share it.</summary>
public sealed class PromptCounter
{
    private readonly ModelConfig _config;
    private readonly Tokenizer _tokenizer;
    private readonly ImageBudget _budget;

    /// <summary>Reads tokenizer and preprocessors.</summary>
    /// <exception cref="MASQuantException">A file is missing or malformed.</exception>
    /// <param name="source">A checkpoint or an artifact.</param>
    /// <param name="config">What <c>config.json</c> of <paramref name="source"/> says.</param>
    /// <param name="budget">How many pixels images keep; null: as many as the processor looks at unasked.</param>
    public PromptCounter(IModelSource source, ModelConfig config, ImageBudget? budget = null)
        : this(source, config, PromptEncoder.ReadTokenizer(source, config), budget)
    {
    }

    internal PromptCounter(IModelSource source, ModelConfig config, Tokenizer tokenizer, ImageBudget? budget)
    {
        (_config, _tokenizer, _budget) = (config, tokenizer, budget ?? new ImageBudget());
        Media = new MediaCounter(config, PreprocessorConfigReader.Read(source, config), _budget);
    }

    internal MediaCounter Media { get; }

    /// <summary>The tokens of every modality, by its number.</summary>
    /// <exception cref="MASQuantException">A medium cannot be read or is of no use to the model; MASQ0921: the prompt is longer than the model's positions; MASQ0924: anything else.</exception>
    public IReadOnlyList<long> Count(IReadOnlyList<ChatMessage> messages) => PromptBorder.Run(() => CountTokens(messages));

    private long[] CountTokens(IReadOnlyList<ChatMessage> messages)
    {
        var rendered = Render(messages);
        var tokens = new long[ModalityMap.ModalityCount];
        tokens[(int)Modality.Text] = rendered.Tokens.Length;
        foreach (var medium in Count(rendered))
        {
            tokens[(int)Modality.Vision] += medium.TokensAs(Modality.Vision);
            tokens[(int)Modality.Audio] += medium.TokensAs(Modality.Audio);
            tokens[(int)Modality.Text] -= medium.Placeholders;
        }

        return tokens;
    }

    /// <summary>Renders and tokenizes a conversation.</summary>
    /// <exception cref="MASQuantException">MASQ0921: the text alone is longer than the model's positions.</exception>
    internal TokenizedPrompt Render(IReadOnlyList<ChatMessage> messages, bool thinks = false)
    {
        PromptLength.RequireText(messages, ChatRenderer.FirstThought(messages, _config, _tokenizer), _tokenizer, _config.Text.MaxPositions, Media.Limits);
        return ChatRenderer.Render(VideoFrames.Take(messages, _config, _budget), _config, _tokenizer, thinks);
    }

    /// <summary>Counts the media of a rendered conversation.</summary>
    /// <exception cref="MASQuantException">As of the other method.</exception>
    internal IReadOnlyList<CountedMedium> Count(TokenizedPrompt rendered, CancellationToken cancellationToken = default)
    {
        var length = new PromptLength(rendered, _config.Text.MaxPositions, Media.Limits);
        var media = new List<CountedMedium>();
        foreach (var part in rendered.Media)
        {
            var medium = Media.Count(part, cancellationToken);
            length.Add(medium);
            media.Add(medium);
        }

        return media;
    }
}
