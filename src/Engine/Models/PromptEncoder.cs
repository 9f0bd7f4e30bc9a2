using System.Globalization;
using MASQuant.Diagnostics;
using MASQuant.Engine.Audio;
using MASQuant.Engine.Audio.Preprocessing;
using MASQuant.Engine.Chat;
using MASQuant.Engine.Text;
using MASQuant.Engine.Vision;
using MASQuant.Engine.Vision.Images;
using MASQuant.Engine.Vision.Pixels;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Models;

/// <summary>Turns conversations into what the decoder takes: chat format, tokens, media through their towers, positions. Holds everything of a model but its decoder blocks. Threads may share it.</summary>
public sealed class PromptEncoder
{
    private const string TokenizerFileName = "tokenizer.json";

    // Text follows the media, and positions are 32-bit.
    private const int LastPosition = 1 << 30;

    private readonly ImagePreprocessor _images;
    private readonly IVisionTower _vision;
    private readonly LogMelSpectrogram? _spectrogram;
    private readonly IAudioTower? _audio;

    /// <summary>Reads tokenizer, preprocessors, embedding and towers.</summary>
    /// <param name="source">Must outlive this.</param>
    /// <param name="config">What <c>config.json</c> of <paramref name="source"/> says.</param>
    /// <exception cref="MASQuantException">A file or tensor is missing, malformed or of another shape.</exception>
    public PromptEncoder(IModelSource source, ModelConfig config)
        : this(source, config, ReadTokenizer(source), TokenEmbedding.Of(source, config.Decoder()), new VisionTower(source, config.VisionTower()), config.AudioTower() is { } audio ? new AudioTower(source, audio) : null)
    {
    }

    /// <summary>As the other constructor, with what has been read already.</summary>
    public PromptEncoder(IModelSource source, ModelConfig config, Tokenizer tokenizer, TokenEmbedding embedding, IVisionTower vision, IAudioTower? audio)
    {
        var preprocessor = PreprocessorConfigReader.Read(source);
        (Config, Tokenizer, Embedding, _vision, _audio) = (config, tokenizer, embedding, vision, audio);
        _images = new ImagePreprocessor(preprocessor, config.Vision);
        _spectrogram = config.Audio is null ? null : new LogMelSpectrogram(preprocessor);
    }

    /// <summary>Reads <c>tokenizer.json</c> of a checkpoint or an artifact.</summary>
    /// <exception cref="MASQuantException">The file is missing or malformed.</exception>
    public static Tokenizer ReadTokenizer(IModelSource source) => Tokenizer.Load(source.ReadFile(TokenizerFileName), Path.Combine(source.Path, TokenizerFileName));

    /// <summary>The model's facts.</summary>
    public ModelConfig Config { get; }

    /// <summary>The model's tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>Token id → [H].</summary>
    public TokenEmbedding Embedding { get; }

    /// <summary>Renders, tokenizes and embeds a conversation.</summary>
    /// <exception cref="MASQuantException">A medium cannot be read or is of no use to the model; MASQ0921: the prompt is longer than the model's positions.</exception>
    public PreparedPrompt Prepare(IReadOnlyList<ChatMessage> messages, CancellationToken cancellationToken = default)
    {
        PromptLength.RequireText(messages, Tokenizer, Config.Text.MaxPositions);
        return Prepare(ChatRenderer.Render(messages, Config, Tokenizer), cancellationToken);
    }

    /// <summary>Embeds a rendered conversation. Each medium's tokens are counted by its header before it is decoded.</summary>
    /// <exception cref="MASQuantException">A medium cannot be read or is of no use to the model; MASQ0921: the prompt is longer than the model's positions.</exception>
    internal PreparedPrompt Prepare(TokenizedPrompt rendered, CancellationToken cancellationToken = default)
    {
        var length = new PromptLength(rendered, Config.Text.MaxPositions);
        var media = new List<EncodedMedium>();
        foreach (var part in rendered.Media)
        {
            cancellationToken.ThrowIfCancellationRequested();
            media.Add(Encode(part, length, cancellationToken));
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
            AnswerRange = answer.Offset..(answer.Offset + answer.Length),
        };
    }

    private EncodedMedium Encode(ContentPart part, PromptLength length, CancellationToken cancellationToken) => part switch
    {
        ImagePart image => EncodeImage(image, length, cancellationToken),
        VideoPart video => EncodeVideo(video, length, cancellationToken),
        AudioPart audio => EncodeAudio(audio, length, cancellationToken),
        _ => throw new NotSupportedException($"{part.GetType().Name} is no medium."),
    };

    private EncodedMedium EncodeImage(ImagePart image, PromptLength length, CancellationToken cancellationToken)
    {
        var (file, name) = (image.Source.Read(), image.Source.Name);
        var (width, height) = ImageDecoder.ReadExtents(file.Span, name);
        var (gridH, gridW) = _images.Grid(width, height, name);
        length.Add([MediaExtent.Image(Config, gridH, gridW)], name);
        var patches = _images.Process(ImageDecoder.Decode(file.Span, name), name);
        return new([MediaExtent.Image(Config, patches.GridH, patches.GridW)], _vision.Forward(patches, cancellationToken));
    }

    private EncodedMedium EncodeVideo(VideoPart video, PromptLength length, CancellationToken cancellationToken)
    {
        var secondsPerFrame = SecondsPerFrame(video);
        var (first, name) = (video.Frames[0].Read(), video.Frames[0].Name);
        var (width, height) = ImageDecoder.ReadExtents(first.Span, name);
        var (gridT, gridH, gridW) = _images.VideoGrid(video.Frames.Count, width, height, name);
        length.Add(Config.Family.VideoExtents(Config, gridT, gridH, gridW, secondsPerFrame), name);
        var patches = _images.ProcessVideo([ImageDecoder.Decode(first.Span, name), .. video.Frames.Skip(1).Select(Decode)], name);
        return new(Config.Family.VideoExtents(Config, patches.GridT, patches.GridH, patches.GridW, secondsPerFrame), _vision.Forward(patches, cancellationToken));
    }

    /// <summary>Seconds of a temporal row; refuses videos without frames or whose last stands beyond any position.</summary>
    private double SecondsPerFrame(VideoPart video)
    {
        if (video.Frames.Count == 0)
        {
            throw ImagePreprocessor.NoVideo(null);
        }

        var seconds = Config.Vision.TemporalPatchSize / video.FramesPerSecond;
        return seconds > 0 && seconds * Config.PositionsPerSecond * video.Frames.Count <= LastPosition ? seconds : throw new MASQuantException(DiagnosticCodes.ImageShapeNotSupported, video.Frames[0].Name,
            string.Create(CultureInfo.InvariantCulture, $"The video has {video.Frames.Count} frames at {video.FramesPerSecond} a second, which no positions can express. Give the rate at which the frames were taken."));
    }

    // The chat format has refused clips that the model cannot hear.
    private EncodedMedium EncodeAudio(AudioPart audio, PromptLength length, CancellationToken cancellationToken)
    {
        var (file, name) = (audio.Source.Read(), audio.Source.Name);
        var frames = _spectrogram!.CountFrames(AudioDecoder.CountSamples(file.Span, name), name);
        if (AudioTower.TokenCount(frames) == 0)
        {
            throw AudioDecoder.Corrupt(name, "it is too short to make a token");
        }

        length.Add([MediaExtent.Audio(Config, AudioTower.TokenCount(frames))], name);
        var tokens = _audio!.Forward(_spectrogram.Process(AudioDecoder.Decode(file.Span, name), name), cancellationToken);
        return new([MediaExtent.Audio(Config, tokens.Rows)], tokens);
    }

    private static RgbImage Decode(MediaSource source) => ImageDecoder.Decode(source.Read().Span, source.Name);

    /// <summary>Puts the towers' rows where the placeholders stand: vision and audio rows each in the order of their media.</summary>
    private static void Scatter(List<EncodedMedium> media, ModalityMap modalities, Matrix embeddings)
    {
        var token = 0;
        foreach (var medium in media)
        {
            var rest = medium.Tokens.Span;
            foreach (var extent in medium.Extents)
            {
                while (modalities[token] == Modality.Text)
                {
                    token++;
                }

                var values = extent.Tokens * embeddings.Columns;
                rest[..values].CopyTo(embeddings.Span[(token * embeddings.Columns)..]);
                rest = rest[values..];
                token += extent.Tokens;
            }
        }
    }

    /// <summary>A medium as its tower sees it.</summary>
    /// <param name="Extents">How many tokens behind each of its placeholders, and where they stand.</param>
    /// <param name="Tokens">[number of tokens, H].</param>
    private sealed record EncodedMedium(IReadOnlyList<MediaExtent> Extents, Matrix Tokens);
}
