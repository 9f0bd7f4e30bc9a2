namespace MASQuant;

/// <summary>How a model is run. Nothing but <see cref="Sampling"/>, <see cref="KeyValues"/> and the limits of pixels and frames changes an answer.</summary>
public sealed record ModelOptions
{
    /// <summary>How many prompt tokens are evaluated at once: more is faster, up to a point, and takes more memory.</summary>
    public int PrefillTokens { get; init; } = 512;

    /// <summary>How many answers are in progress at once, of a batch or asked for by several threads: more is faster, up to a point, and each takes memory for its keys and values. A GPU takes up to 16.</summary>
    public int MaxSequences { get; init; } = 16;

    /// <summary>How many prompts may wait for their answers to begin; a further one is refused (MASQ0925). Those of <c>GenerateAsync</c> and <c>GeneratePiecesAsync</c> count.</summary>
    public int MaxWaiting { get; init; } = 1024;

    /// <summary>What keys and values of ended answers may take of memory, for prompts of <c>GenerateAsync</c> and <c>GeneratePiecesAsync</c> that begin as theirs did: the turns of a conversation, system messages, pictures. What was used longest ago goes first. 0: none are kept. A GPU keeps none.</summary>
    public long PrefixCacheBytes { get; init; } = 256L << 20;

    /// <summary>How keys and values are kept on the processor: BF16 takes half the memory, and changes answers by its rounding; within one setting an answer is the same alone, among others and behind kept prompts. A GPU keeps BF16.</summary>
    public KeyValueFormat KeyValues { get; init; }

    /// <summary>Where the model runs: <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c> (an NVIDIA GPU), <c>auto</c> (a GPU if one is usable). Null: the environment variable <c>MASQUANT_DEVICE</c>, and without it the processor.</summary>
    public string? Device { get; init; }

    /// <summary>How tokens are chosen where no <see cref="GenerationOptions"/> are given. Null: as the item says that the model was built by, and without one greedily.</summary>
    public Sampling? Sampling { get; init; }

    /// <summary>The fewest pixels that an image, or a video's frame, is resized to, where its prompt says nothing else; null: the checkpoint's. At least 1.</summary>
    public int? MinPixels { get; init => field = MediaLimit.Require(value, nameof(MinPixels)); }

    /// <summary>The most pixels that an image, or a video's frame, is resized to, where its prompt says nothing else; fewer are faster, and show less. At least 1. Null: the checkpoint's on a GPU; on the processor no more than 1 003 520 of them, 1280 tokens of 28 × 28.</summary>
    public int? MaxPixels { get; init => field = MediaLimit.Require(value, nameof(MaxPixels)); }

    /// <summary>The most frames of a second that are looked at, taken of those that are given as the family's video processor takes them: at least four of a video, and 768 at most. Where its prompt says nothing else; null: all that are given. Positive and finite.</summary>
    public double? MaxFramesPerSecond { get; init => field = MediaLimit.Require(value, nameof(MaxFramesPerSecond)); }

    /// <summary>The most frames of a video that are looked at, taken as the family's video processor takes them. Where its prompt says nothing else; null: all that are given. At least 1.</summary>
    public int? MaxFrames { get; init => field = MediaLimit.Require(value, nameof(MaxFrames)); }

    /// <summary>What reads images other than PNG, JPEG and PPM, which models read themselves; the first that recognizes a file takes it. <c>SkiaImageDecoder</c> of the package MASQuant.Skia reads WebP, GIF and BMP. Default: none.</summary>
    public IReadOnlyList<IImageDecoder> ImageDecoders { get; init; } = [];

    /// <summary>What reads sound other than WAV, which models read themselves; the first that recognizes a file takes it. <c>Mp3Decoder</c> of the package MASQuant.AudioFormats reads MP3. Default: none.</summary>
    public IReadOnlyList<IAudioDecoder> AudioDecoders { get; init; } = [];

    /// <summary>The most that a prompt may ask of the machine; what exceeds it is refused.</summary>
    public ModelLimits Limits { get; init; } = new();
}
