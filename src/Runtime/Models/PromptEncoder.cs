using MASQuant.Audio;
using MASQuant.Chat;
using MASQuant.Configuration;
using MASQuant.Diagnostics;
using MASQuant.Safetensors;
using MASQuant.Tensors;
using MASQuant.Text;
using MASQuant.Vision;

namespace MASQuant.Models;

/// <summary>Turns conversations into what the decoder takes: chat format, tokens, media through their towers, positions. Holds everything of a model but its decoder blocks. Threads may share it.</summary>
public sealed class PromptEncoder
{
    private const string TokenizerFileName = "tokenizer.json";
    private readonly ImagePreprocessor _images;
    private readonly IVisionTower _vision;
    private readonly LogMelSpectrogram? _spectrogram;
    private readonly IAudioTower? _audio;

    /// <summary>Reads tokenizer, preprocessors, embedding and towers.</summary>
    /// <param name="source">Must outlive this.</param>
    /// <param name="config">What <c>config.json</c> of <paramref name="source"/> says.</param>
    /// <exception cref="MasQuantException">A file or tensor is missing, malformed or of another shape.</exception>
    public PromptEncoder(IModelSource source, ModelConfig config)
        : this(source, config, null, null)
    {
    }

    /// <summary>As the public constructor, with towers that are at hand; null: the processor's.</summary>
    internal PromptEncoder(IModelSource source, ModelConfig config, IVisionTower? vision, IAudioTower? audio)
    {
        var preprocessor = PreprocessorConfigReader.Read(source);
        Config = config;
        Tokenizer = Tokenizer.Load(source.ReadFile(TokenizerFileName), Path.Combine(source.Path, TokenizerFileName));
        Embedding = TokenEmbedding.Of(source, config.Text);
        _images = new ImagePreprocessor(preprocessor, config.Vision, config.Family);
        _vision = vision ?? new VisionTower(source, config.Vision);
        if (config.Audio is not null)
        {
            _spectrogram = new LogMelSpectrogram(preprocessor);
            _audio = audio ?? new AudioTower(source, config.Audio);
        }
    }

    /// <summary>The model's facts.</summary>
    public ModelConfig Config { get; }

    /// <summary>The model's tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>Token id → [H].</summary>
    public TokenEmbedding Embedding { get; }

    /// <summary>Renders, tokenizes and embeds a conversation.</summary>
    /// <exception cref="MasQuantException">A medium cannot be read or is of no use to the model.</exception>
    public PreparedPrompt Prepare(IReadOnlyList<ChatMessage> messages, CancellationToken cancellation = default)
        => Prepare(ChatFormat.Render(messages, Config, Tokenizer), cancellation);

    /// <summary>Embeds a rendered conversation.</summary>
    /// <exception cref="MasQuantException">A medium cannot be read or is of no use to the model.</exception>
    internal PreparedPrompt Prepare(TokenizedPrompt rendered, CancellationToken cancellation = default)
    {
        var media = new List<EncodedMedium>();
        foreach (var part in rendered.Media)
        {
            cancellation.ThrowIfCancellationRequested();
            media.Add(Encode(part, cancellation));
        }

        return Assemble(rendered, media);
    }

    private PreparedPrompt Assemble(TokenizedPrompt rendered, List<EncodedMedium> media)
    {
        IReadOnlyList<MediaExtent> extents = [.. media.Select(medium => medium.Extent)];
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
            AnswerRange = answer.Offset..(answer.Offset + answer.Length),
        };
    }

    private EncodedMedium Encode(ContentPart part, CancellationToken cancellation) => part switch
    {
        ImagePart image => EncodeImage(image, cancellation),
        VideoPart video => EncodeVideo(video, cancellation),
        AudioPart audio => EncodeAudio(audio, cancellation),
        _ => throw new NotSupportedException($"{part.GetType().Name} is no medium."),
    };

    private EncodedMedium EncodeImage(ImagePart image, CancellationToken cancellation)
    {
        var patches = _images.Process(Decode(image.Source), image.Source.Name);
        return new(MediaExtent.Image(Config, patches.GridH, patches.GridW), _vision.Forward(patches, cancellation));
    }

    private EncodedMedium EncodeVideo(VideoPart video, CancellationToken cancellation)
    {
        var patches = _images.ProcessVideo([.. video.Frames.Select(Decode)], video.Frames[0].Name);
        var secondsPerFrame = Config.Vision.TemporalPatchSize / video.FramesPerSecond;
        return new(MediaExtent.Video(Config, patches.GridT, patches.GridH, patches.GridW, secondsPerFrame), _vision.Forward(patches, cancellation));
    }

    // The chat format has refused clips that the model cannot hear.
    private EncodedMedium EncodeAudio(AudioPart audio, CancellationToken cancellation)
    {
        var samples = AudioDecoder.Decode(audio.Source.Read().Span, audio.Source.Name);
        var tokens = _audio!.Forward(_spectrogram!.Process(samples, audio.Source.Name), cancellation);
        return new(MediaExtent.Audio(Config, tokens.Rows), tokens);
    }

    private static RgbImage Decode(MediaSource source) => ImageDecoder.Decode(source.Read().Span, source.Name);

    /// <summary>Puts the towers' rows where the placeholders stand: vision and audio rows each in the order of their media.</summary>
    private static void Scatter(List<EncodedMedium> media, ModalityMap modalities, Matrix embeddings)
    {
        var token = 0;
        foreach (var medium in media)
        {
            while (modalities[token] == Modality.Text)
            {
                token++;
            }

            medium.Tokens.Span.CopyTo(embeddings.Span[(token * embeddings.Columns)..]);
            token += medium.Tokens.Rows;
        }
    }

    /// <summary>A medium as its tower sees it.</summary>
    /// <param name="Extent">How many tokens, and where they stand.</param>
    /// <param name="Tokens">[number of tokens, H].</param>
    private sealed record EncodedMedium(MediaExtent Extent, Matrix Tokens);
}
