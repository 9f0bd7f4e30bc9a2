using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using MASQuant.Artifacts;
using MASQuant.Chat;
using MASQuant.Configuration;
using MASQuant.Diagnostics;
using MASQuant.Gemm;
using MASQuant.Gemm.Cuda;
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
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PrefillTokens, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxSequences, 1, nameof(options));
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
        return Answer(prompt, options, cancellationToken);
    }

    /// <summary>Answers a prompt, piece by piece, without holding the caller's thread.</summary>
    /// <inheritdoc cref="Generate"/>
    public IAsyncEnumerable<string> GenerateAsync(Prompt prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
        => WithoutHoldingTheCaller(cancellation => Generate(prompt, options, cancellation), cancellationToken);

    /// <summary>The token ids of the answer as they are chosen, the one that ends it included.</summary>
    /// <param name="prompt">What is asked.</param>
    /// <param name="options">How to choose tokens; null for greedy.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="MasQuantException">An option is out of range; while enumerating: the sequence is longer than the model's positions.</exception>
    public IEnumerable<int> GenerateTokens(PreparedPrompt prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        var sequences = GenerateTokens([() => prompt], most: 1, options, cancellationToken);
        return sequences.Select(sequence =>
        {
            sequence.ThrowIfFailed();
            return sequence.Token;
        });
    }

    /// <summary>Answers prompts, many at once: as fast as the weights are read once for all answers in progress (<see cref="ModelOptions.MaxSequences"/>). An answer that ends makes room for the next prompt.</summary>
    /// <remarks>Each answer is, bit for bit, what <see cref="Generate"/> gives for the prompt alone. For media and keys and values, memory is needed for the prompts in progress only.</remarks>
    /// <param name="prompts">What is asked; enumerated as there is room.</param>
    /// <param name="options">How to choose tokens; null for greedy. The seed of prompt i, from 0, is <see cref="GenerationOptions.Seed"/> + i.</param>
    /// <param name="cancellationToken">Ends the batch with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>The answers, in the order of the prompts.</returns>
    /// <exception cref="MasQuantException">An option is out of range; a prompt fails, as in <see cref="Generate"/>: the message says which. To get the others' answers, enumerate <see cref="GenerateBatchAsync"/>.</exception>
    public IReadOnlyList<string> GenerateBatch(IEnumerable<Prompt> prompts, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        var answers = new List<List<string>>();
        foreach (var piece in Batch(prompts, options, cancellationToken))
        {
            if (piece.Error is not null)
            {
                throw piece.Error;
            }

            // Prompts begin in their order.
            if (piece.Prompt == answers.Count)
            {
                answers.Add([]);
            }

            answers[piece.Prompt].Add(piece.Text);
        }

        return [.. answers.Select(answer => string.Concat(answer))];
    }

    /// <summary>Answers prompts as <see cref="GenerateBatch"/>, piece by piece as they come, without holding the caller's thread. The pieces of a prompt put together are its answer. A prompt that fails gives a piece that says why; the others go on.</summary>
    /// <param name="prompts">What is asked; enumerated as there is room.</param>
    /// <param name="options">How to choose tokens; null for greedy. The seed of prompt i, from 0, is <see cref="GenerationOptions.Seed"/> + i.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="MasQuantException">An option is out of range; while enumerating: the device fails.</exception>
    public IAsyncEnumerable<BatchPiece> GenerateBatchAsync(IEnumerable<Prompt> prompts, GenerationOptions? options = null, CancellationToken cancellationToken = default)
        => WithoutHoldingTheCaller(cancellation => Batch(prompts, options, cancellation), cancellationToken);

    /// <summary>As <see cref="GenerateTokens(PreparedPrompt, GenerationOptions?, CancellationToken)"/> for prompts in a batch: each time one has a further token or fails.</summary>
    internal IEnumerable<Sequence> GenerateTokens(IEnumerable<Func<PreparedPrompt>> prompts, int most, GenerationOptions? options, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        options ??= new GenerationOptions();
        options.Validate();
        // On a device more rows than these are summed in another order, layers on their own included.
        most = Math.Min(most, _deviceDecoder?.MaxSequences ?? (_device is null && _options.Backend is not CudaGemmBackend ? most : GemmKernels.DecodeTokens));
        return TokenGenerator.Generate(NewSession(most), most, prompts, options, options.StopTokens ?? _endTokens, cancellationToken);
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

    private IEnumerable<string> Answer(Prompt prompt, GenerationOptions options, CancellationToken cancellationToken)
    {
        foreach (var piece in Pieces([prompt], most: 1, options, cancellationToken))
        {
            if (piece.Error is not null)
            {
                ExceptionDispatchInfo.Throw(piece.Error);
            }

            if (piece.Text.Length > 0)
            {
                yield return piece.Text;
            }
        }
    }

    private IEnumerable<BatchPiece> Batch(IEnumerable<Prompt> prompts, GenerationOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        return Pieces(prompts, _options.MaxSequences, options, cancellationToken).Select(AnswerPieces.WithPromptInError);
    }

    private IEnumerable<BatchPiece> Pieces(IEnumerable<Prompt> prompts, int most, GenerationOptions? options, CancellationToken cancellationToken)
    {
        var prepared = prompts.Select(prompt => (Func<PreparedPrompt>)(() => Prepare(prompt ?? throw new ArgumentNullException(nameof(prompts)), cancellationToken)));
        return AnswerPieces.Of(GenerateTokens(prepared, most, options, cancellationToken), Tokenizer);
    }

    private static async IAsyncEnumerable<T> WithoutHoldingTheCaller<T>(Func<CancellationToken, IEnumerable<T>> generate, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var pieces = generate(cancellation).GetEnumerator();
        while (await Task.Run(pieces.MoveNext, cancellation).ConfigureAwait(false))
        {
            yield return pieces.Current;
        }
    }

    private IDecoderSession NewSession(int sequences = 1) => _deviceDecoder is null ? new DecoderSession(Decoder, _options.PrefillTokens) : new DeviceSession(_deviceDecoder, _options.PrefillTokens, sequences);

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
