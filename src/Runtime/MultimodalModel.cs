using System.Runtime.CompilerServices;
using MASQuant.Artifacts;
using MASQuant.Chat;
using MASQuant.Configuration;
using MASQuant.Diagnostics;
using MASQuant.Gemm;
using MASQuant.Generation;
using MASQuant.Models;
using MASQuant.Models.Device;
using MASQuant.Safetensors;
using MASQuant.Tensors;
using MASQuant.Text;

namespace MASQuant;

/// <summary>A Qwen2.5-VL or Qwen2.5-Omni thinker model, in full precision or quantized, that answers prompts of text, images, video frames and audio.</summary>
/// <remarks>Threads may share a model: every generation has a sequence of its own. Dispose it when no generation is running.</remarks>
public sealed class MultimodalModel : IDisposable
{
    private readonly IModelSource _source;
    private readonly ModelOptions _options;
    private readonly IReadOnlyList<int> _endTokens;
    private readonly CudaGemmBackend? _device;
    private readonly DeviceDecoder? _deviceDecoder;
    private readonly DeviceVisionTower? _deviceVision;
    private readonly DeviceAudioTower? _deviceAudio;
    private readonly Lazy<Decoder> _decoder;
    private bool _disposed;

    private MultimodalModel(IModelSource source, ModelOptions options, CudaGemmBackend? device)
    {
        var config = ModelConfigReader.Read(source);
        var generation = GenerationConfigReader.Read(source);
        _source = source;
        _options = options;
        _deviceVision = device is null || !DeviceVisionTower.Takes(config.Vision) ? null : new DeviceVisionTower(device.Device, device.Gate, source, config.Vision);
        _deviceAudio = device is null || config.Audio is null || !DeviceAudioTower.Takes(config.Audio) ? null : new DeviceAudioTower(device.Device, device.Gate, source, config.Audio);
        Encoder = new PromptEncoder(source, config, _deviceVision, _deviceAudio);
        _endTokens = EndTokens(generation, Encoder.Tokenizer);
        RecommendedOptions = Recommended(generation);
        _device = device;
        _decoder = new Lazy<Decoder>(() => DecoderReader.Read(source, config.Text, Encoder.Embedding, options.Backend ?? device));
        _deviceDecoder = device is null || !DeviceDecoder.Takes(config.Text) ? null : DeviceDecoder.Read(device.Device, device.Gate, source, config.Text, Encoder.Embedding);
        _ = _deviceDecoder is null ? _decoder.Value : null;
    }

    /// <summary>What <c>config.json</c> says.</summary>
    public ModelConfig Config => Encoder.Config;

    /// <summary>The open artifact of a quantized model; null in full precision.</summary>
    public Artifact? Artifact => _source as Artifact;

    /// <summary>The model's tokenizer.</summary>
    public Tokenizer Tokenizer => Encoder.Tokenizer;

    /// <summary>What turns prompts into the decoder's input.</summary>
    public PromptEncoder Encoder { get; }

    /// <summary>The language model; on a device its quantized layers alone run there, and it is read when first asked for: generation and logits have the whole model on the device.</summary>
    public Decoder Decoder => _decoder.Value;

    /// <summary>The way of sampling that the model's <c>generation_config.json</c> recommends; greedy when it does not sample.</summary>
    public GenerationOptions RecommendedOptions { get; }

    /// <summary>Opens a model.</summary>
    /// <param name="path">A checkpoint's folder (full precision) or an artifact's file (quantized).</param>
    /// <param name="options">How to run it.</param>
    /// <exception cref="MasQuantException">A file is missing, malformed, or of a kind or version that is not supported.</exception>
    public static MultimodalModel Load(string path, ModelOptions? options = null)
    {
        options ??= new ModelOptions();
        return Load(path, options, OpenDevice(options));
    }

    /// <summary>Opens a model on a device, which it owns; null for the processor.</summary>
    internal static MultimodalModel Load(string path, ModelOptions options, CudaGemmBackend? device)
    {
        IModelSource? source = null;
        try
        {
            source = Directory.Exists(path) ? Checkpoint.Open(path) : Artifact.Open(path);
            return new MultimodalModel(source, options, device);
        }
        catch
        {
            device?.Dispose();
            source?.Dispose();
            throw;
        }
    }

    /// <summary>Renders, tokenizes and embeds a prompt, its media included.</summary>
    /// <exception cref="MasQuantException">A medium cannot be read or is of no use to the model.</exception>
    public PreparedPrompt Prepare(Prompt prompt, CancellationToken cancellationToken = default) => Prepare(prompt.Messages, cancellationToken);

    /// <summary>Renders, tokenizes and embeds a conversation; a last message of the assistant is the answer that <see cref="PreparedPrompt.AnswerRange"/> marks.</summary>
    /// <exception cref="MasQuantException">A medium cannot be read or is of no use to the model.</exception>
    public PreparedPrompt Prepare(IReadOnlyList<ChatMessage> messages, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Encoder.Prepare(messages, cancellationToken);
    }

    /// <summary>Answers a prompt, piece by piece; the pieces put together are the answer. Evaluation begins with the enumeration.</summary>
    /// <param name="prompt">What is asked.</param>
    /// <param name="options">How to choose tokens; null for greedy.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="MasQuantException">An option is out of range; while enumerating: a medium cannot be read, or the sequence is longer than the model's positions.</exception>
    public IEnumerable<string> Generate(Prompt prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        options ??= new GenerationOptions();
        options.Validate();
        return Pieces(prompt, options, cancellationToken);
    }

    /// <summary>Answers a prompt, piece by piece, without holding the caller's thread.</summary>
    /// <inheritdoc cref="Generate"/>
    public async IAsyncEnumerable<string> GenerateAsync(Prompt prompt, GenerationOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var pieces = Generate(prompt, options, cancellationToken).GetEnumerator();
        while (await Task.Run(pieces.MoveNext, cancellationToken).ConfigureAwait(false))
        {
            yield return pieces.Current;
        }
    }

    /// <summary>The token ids of the answer as they are chosen, the one that ends it included.</summary>
    /// <param name="prompt">What is asked.</param>
    /// <param name="options">How to choose tokens; null for greedy.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="MasQuantException">An option is out of range; while enumerating: the sequence is longer than the model's positions.</exception>
    public IEnumerable<int> GenerateTokens(PreparedPrompt prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        options ??= new GenerationOptions();
        options.Validate();
        return TokenGenerator.Generate(NewSession(), prompt, options, options.StopTokens ?? _endTokens, cancellationToken);
    }

    /// <summary>The logits after tokens of a prompt, for evaluation with the answer given.</summary>
    /// <param name="prompt">T tokens.</param>
    /// <param name="rows">The tokens after which logits are wanted; null for all.</param>
    /// <param name="cancellationToken">Obeyed between decoder blocks.</param>
    /// <returns>[number of rows, V].</returns>
    /// <exception cref="MasQuantException">MASQ0921: the sequence is longer than the model's positions.</exception>
    public Matrix Logits(PreparedPrompt prompt, Range? rows = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var session = NewSession();
        return session.Logits(prompt, rows ?? Range.All, cancellationToken);
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        _disposed = true;
        _deviceDecoder?.Dispose();
        _deviceVision?.Dispose();
        _deviceAudio?.Dispose();
        _device?.Dispose();
        _source.Dispose();
    }

    private IEnumerable<string> Pieces(Prompt prompt, GenerationOptions options, CancellationToken cancellationToken)
    {
        var stream = new TokenStream(Tokenizer);
        foreach (var id in GenerateTokens(Prepare(prompt, cancellationToken), options, cancellationToken))
        {
            if (stream.Append(id) is { Length: > 0 } piece)
            {
                yield return piece;
            }
        }

        if (stream.Flush() is { Length: > 0 } rest)
        {
            yield return rest;
        }
    }

    private IDecoderSession NewSession() => _deviceDecoder is null ? new DecoderSession(Decoder, _options.PrefillTokens) : new DeviceSession(_deviceDecoder, _options.PrefillTokens);

    // The processor's backend is the reader's own choice.
    private static CudaGemmBackend? OpenDevice(ModelOptions options)
    {
        if (options is { Device: not null, Backend: not null })
        {
            throw new ArgumentException("A backend executes quantized layers; give it or a device, not both.", nameof(options));
        }

        return options.Backend is null && DeviceChoice.Of(options.Device).Open() is { } device ? new CudaGemmBackend(device, ownsDevice: true) : null;
    }

    private static GenerationOptions Recommended(GenerationConfig config) => !config.Sample
        ? new GenerationOptions()
        : new GenerationOptions { Temperature = config.Temperature, TopP = config.TopP, TopK = config.TopK };

    private static IReadOnlyList<int> EndTokens(GenerationConfig config, Tokenizer tokenizer)
        => config.EndTokenIds.Count == 0 && tokenizer.TryGetAddedToken("<|im_end|>", out var end) ? [end] : config.EndTokenIds;
}
