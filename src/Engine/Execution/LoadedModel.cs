using System.Runtime.CompilerServices;
using MASQuant.Diagnostics;
using MASQuant.Engine.Constraints;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;
using MASQuant.Engine.Serving;
using MASQuant.Engine.Text;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Execution;

/// <summary>A multimodal model, in full precision or quantized, that answers prompts of text, images, video frames and audio.</summary>
/// <remarks>Threads may share a model: every generation has a sequence of its own. It may be disposed at any moment (<see cref="Dispose"/>); <see cref="Encoder"/> and <see cref="Decoder"/> read its files themselves, and are to be let go before.</remarks>
public sealed class LoadedModel : IDisposable
{
    private readonly IModelSource _source;
    private readonly ModelOptions _options;
    private readonly IReadOnlyList<int> _endTokens;
    private readonly IModelExecution _execution;
    private readonly OpenSessions _sessions;
    private readonly AnswerFormats _formats;
    private readonly AnswerScheduler _scheduler;

    private LoadedModel(IModelSource source, ModelOptions options, Func<ModelContent, IModelExecution> execution)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PrefillTokens, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxSequences, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxWaiting, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)options.KeyValues, (uint)KeyValueFormat.BFloat16, nameof(options));
        var config = ModelConfigReader.Read(source);
        var generation = GenerationConfigReader.Read(source);
        var tokenizer = PromptEncoder.ReadTokenizer(source, config);
        var embedding = TokenEmbedding.Of(source, config.Decoder());
        (_source, _options, _endTokens) = (source, options, RecommendedGeneration.EndTokens(generation, config.Family, tokenizer));
        RecommendedOptions = RecommendedGeneration.Options(generation);
        Users = new UserCount(nameof(LoadedModel), source.RequireWhole, Release);
        _sessions = new OpenSessions(Users);
        _execution = execution(new ModelContent(source, config, embedding, options.PrefillTokens) { KeyValues = options.KeyValues });
        try
        {
            Encoder = new PromptEncoder(source, config, tokenizer, embedding, _execution.Vision, _execution.Audio, Budget(options, _execution));
        }
        catch
        {
            _execution.Dispose();
            throw;
        }

        _formats = new AnswerFormats(tokenizer, Encoder.Thought?.End);
        var most = Math.Min(options.MaxSequences, _execution.MaxSequences);
        _scheduler = new AnswerScheduler(new ServedModel(
            (messages, thinks, token) => Users.Run(_ => Encoder.Plan(messages, thinks, token), token),
            (plan, evaluated, token) => Users.Run(either => Encoder.Prepare(plan, evaluated, either), token),
            () => _sessions.Begin(() => _execution.NewSession(most)),
            most,
            answer => new AnswerText(tokenizer, answer.StopStrings, ThoughtOf(answer)),
            options));
    }

    /// <summary>What <c>config.json</c> says.</summary>
    public ModelConfig Config => Encoder.Config;

    /// <summary>The open artifact of a quantized model; null in full precision.</summary>
    public Artifact? Artifact => _source as Artifact;

    /// <summary>What is to be told of its chat template, MASQ0207; null where it is known, or there is none.</summary>
    public MASQuantException? ChatTemplateWarning => Users.Run(_ => ChatTemplate.WarningOf(_source), default);

    /// <summary>What is to be told of the processor that it runs on, MASQ1012; null where there is nothing, or it runs on a device.</summary>
    public MASQuantException? ProcessorWarning => DeviceName == DeviceChoice.Processor ? CpuTarget.Warning : null;

    /// <summary>Who reads its files and its memory on a device.</summary>
    public UserCount Users { get; }

    /// <summary>The model's tokenizer.</summary>
    public Tokenizer Tokenizer => Encoder.Tokenizer;

    /// <summary>What turns prompts into the decoder's input.</summary>
    public PromptEncoder Encoder { get; }

    /// <summary>The language model, to be run block by block; on a device its quantized layers alone run there, and it is read when first asked for.</summary>
    public Decoder Decoder => _execution.Decoder;

    /// <summary>Where the model runs, in the words of <see cref="ModelOptions.Device"/>.</summary>
    public string DeviceName => _execution.DeviceName;

    /// <summary>The way of choosing tokens that the model's <c>generation_config.json</c> recommends, penalties, length and stop strings included; greedy when it does not sample.</summary>
    public GenerationOptions RecommendedOptions { get; }

    /// <summary>How answers are generated where no options are given: as <see cref="ModelOptions.Sampling"/> says.</summary>
    public GenerationOptions DefaultOptions => _options.Sampling == Sampling.Recommended ? RecommendedOptions : new GenerationOptions();

    /// <summary>Opens a model.</summary>
    /// <param name="path">A checkpoint's folder (full precision) or an artifact's file (quantized).</param>
    /// <param name="options">How to run it.</param>
    /// <param name="families">The families to recognise; null for the supported ones.</param>
    /// <exception cref="MASQuantException">A file is missing, malformed, or of a kind or version that is not supported.</exception>
    public static LoadedModel Load(string path, ModelOptions? options = null, ModelFamilies? families = null)
    {
        options ??= new ModelOptions();
        _ = CpuTarget.ThisMachine; // A wrong MASQUANT_CPU is told before files are read.
        using var device = DeviceChoice.Of(options.Device).Open();
        return Load(path, options, content => device is null ? new CpuExecution(content) : device.Run(content), families);
    }

    /// <summary>Opens a model on an execution that the caller makes, whatever <see cref="ModelOptions.Device"/> says.</summary>
    /// <param name="path">A checkpoint's folder (full precision) or an artifact's file (quantized).</param>
    /// <param name="options">How to run it.</param>
    /// <param name="execution">Makes the execution, which the model owns.</param>
    /// <param name="families">The families to recognise; null for the supported ones.</param>
    /// <exception cref="MASQuantException">A file is missing, malformed, or of a kind or version that is not supported.</exception>
    public static LoadedModel Load(string path, ModelOptions options, Func<ModelContent, IModelExecution> execution, ModelFamilies? families = null)
    {
        IModelSource source = Directory.Exists(path) ? Checkpoint.Open(path, families) : Artifact.Open(path, families);
        try
        {
            return new LoadedModel(source, options, execution);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Renders, tokenizes and embeds a prompt, its media included.</summary>
    /// <exception cref="MASQuantException">A medium cannot be read or is of no use to the model.</exception>
    public PreparedPrompt Prepare(Prompt prompt, CancellationToken cancellationToken = default) => Prepare(prompt, thinks: false, cancellationToken);

    /// <summary>As the other method; the prompt may end within a thought (<see cref="GenerationOptions.Thinks"/>).</summary>
    /// <exception cref="MASQuantException">As of the other method; MASQ0904: the model does not think.</exception>
    public PreparedPrompt Prepare(Prompt prompt, bool thinks, CancellationToken cancellationToken)
        => Users.Run(token => Encoder.Prepare(Encoder.Plan(prompt.Messages, thinks, token), 0, token), cancellationToken);

    /// <summary>Renders, tokenizes and embeds a conversation; a last message of the assistant is the answer that <see cref="PreparedPrompt.AnswerRange"/> marks.</summary>
    /// <exception cref="MASQuantException">A medium cannot be read or is of no use to the model.</exception>
    public PreparedPrompt Prepare(IReadOnlyList<ChatMessage> messages, CancellationToken cancellationToken = default)
        => Users.Run(token => Encoder.Prepare(messages, token), cancellationToken);

    /// <summary>Answers a prompt, piece by piece; the pieces put together are the answer. Evaluation begins with the enumeration.</summary>
    /// <param name="prompt">What is asked.</param>
    /// <param name="options">How to choose tokens; null: as <see cref="ModelOptions.Sampling"/> says.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="MASQuantException">An option is out of range; while enumerating: a medium cannot be read, or the prompt is longer than the model's positions.</exception>
    /// <exception cref="ObjectDisposedException">While enumerating: the model is disposed.</exception>
    public IEnumerable<string> Generate(Prompt prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        return GeneratePieces(prompt, options, cancellationToken).Select(piece => piece.Text).Where(text => text.Length > 0);
    }

    /// <summary>Answers a prompt as <see cref="Generate"/>; the last piece tells why the answer has ended, and what it took.</summary>
    /// <inheritdoc cref="Generate"/>
    public IEnumerable<BatchPiece> GeneratePieces(Prompt prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return Pieces([prompt], most: 1, options, cancellationToken).Select(AnswerPieces.ThrowIfFailed);
    }

    /// <summary>Answers a prompt that has been prepared, as <see cref="GeneratePieces(Prompt, GenerationOptions?, CancellationToken)"/>. Whether the model thinks, the prompt says.</summary>
    /// <inheritdoc cref="Generate"/>
    /// <exception cref="MASQuantException">MASQ0904: the options have it think, and the prompt does not.</exception>
    public IEnumerable<BatchPiece> GeneratePieces(PreparedPrompt prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= DefaultOptions;
        if (options.Thinks && !prompt.Thinks)
        {
            throw new MASQuantException(DiagnosticCodes.ThoughtUnsupported, null, "The model is to think before it answers, and the prompt was prepared without thought. Prepare it with thinks: true, or ask without thought.");
        }

        options = options with { Thinks = prompt.Thinks };
        return Pieces(GenerateTokens([() => prompt], most: 1, options, cancellationToken), options).Select(AnswerPieces.ThrowIfFailed);
    }

    /// <summary>Answers a prompt as <see cref="GenerateAsync"/>; the last piece tells why the answer has ended, and what it took.</summary>
    /// <inheritdoc cref="Generate"/>
    /// <exception cref="MASQuantException">MASQ0925, while enumerating: more prompts wait than <see cref="ModelOptions.MaxWaiting"/>.</exception>
    public IAsyncEnumerable<BatchPiece> GeneratePiecesAsync(Prompt prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        options = BeforeEnumeration(options);
        return _scheduler.Answer(prompt.Messages, options, options.StopTokens ?? _endTokens, _formats.Of(options.Format, options.Thinks), cancellationToken);
    }

    /// <summary>Answers a prompt, piece by piece, without holding the caller's thread. Answers that are asked for at the same time share their steps, and a prompt that begins as an earlier one did is evaluated from there on (<see cref="ModelOptions.PrefixCacheBytes"/>): neither changes an answer.</summary>
    /// <inheritdoc cref="Generate"/>
    public async IAsyncEnumerable<string> GenerateAsync(Prompt prompt, GenerationOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var piece in GeneratePiecesAsync(prompt, options, cancellationToken).ConfigureAwait(false))
        {
            if (piece.Text.Length > 0)
            {
                yield return piece.Text;
            }
        }
    }

    /// <summary>The token ids of the answer as they are chosen, the one that ends it included; texts of tokens end none.</summary>
    /// <param name="prompt">What is asked.</param>
    /// <param name="options">How to choose tokens; null: as <see cref="ModelOptions.Sampling"/> says.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="MASQuantException">An option is out of range; while enumerating: the prompt is longer than the model's positions.</exception>
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
    /// <param name="options">How to choose tokens; null: as <see cref="ModelOptions.Sampling"/> says. The seed of prompt i, from 0, is <see cref="GenerationOptions.Seed"/> + i.</param>
    /// <param name="cancellationToken">Ends the batch with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>The answers, in the order of the prompts.</returns>
    /// <exception cref="MASQuantException">An option is out of range; a prompt fails, as in <see cref="Generate"/>: the message says which. To get the others' answers, enumerate <see cref="GenerateBatchAsync"/>.</exception>
    public IReadOnlyList<string> GenerateBatch(IEnumerable<Prompt> prompts, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        var answers = new List<List<string>>();
        foreach (var piece in Batch(prompts, options, cancellationToken))
        {
            if (piece.Error is not null)
            {
                throw piece.Error;
            }

            // Text comes in any order: a first token may be a part of a character, or none.
            while (piece.Prompt >= answers.Count)
            {
                answers.Add([]);
            }

            answers[piece.Prompt].Add(piece.Text);
        }

        return [.. answers.Select(answer => string.Concat(answer))];
    }

    /// <summary>Answers prompts as <see cref="GenerateBatch"/>, piece by piece as they come, without holding the caller's thread. The pieces of a prompt put together are its answer. A prompt that fails gives a piece that says why; the others go on.</summary>
    /// <param name="prompts">What is asked; enumerated as there is room.</param>
    /// <param name="options">How to choose tokens; null: as <see cref="ModelOptions.Sampling"/> says. The seed of prompt i, from 0, is <see cref="GenerationOptions.Seed"/> + i.</param>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="MASQuantException">An option is out of range; while enumerating: the device fails.</exception>
    public IAsyncEnumerable<BatchPiece> GenerateBatchAsync(IEnumerable<Prompt> prompts, GenerationOptions? options = null, CancellationToken cancellationToken = default)
        => WithoutHoldingTheCaller(token => Batch(prompts, options, token), cancellationToken);

    /// <summary>As <see cref="GenerateTokens(PreparedPrompt, GenerationOptions?, CancellationToken)"/> for prompts in a batch: each time one has a further token or fails.</summary>
    public IEnumerable<Sequence> GenerateTokens(IEnumerable<Func<PreparedPrompt>> prompts, int most, GenerationOptions? options, CancellationToken cancellationToken)
    {
        options = BeforeEnumeration(options);
        return Sequences(prompts, Math.Min(most, _execution.MaxSequences), options, _formats.Of(options.Format, options.Thinks), cancellationToken);
    }

    /// <summary>The logits after tokens of a prompt, for evaluation with the answer given.</summary>
    /// <param name="prompt">T tokens.</param>
    /// <param name="rows">The tokens after which logits are wanted; null for all.</param>
    /// <param name="cancellationToken">Obeyed between decoder blocks.</param>
    /// <returns>[number of rows, V].</returns>
    /// <exception cref="ArgumentException">There are fewer tokens, or so many logits are more than an array holds.</exception>
    /// <exception cref="MASQuantException">MASQ0921: the sequence is longer than the model's positions.</exception>
    public Matrix Logits(PreparedPrompt prompt, Range? rows = null, CancellationToken cancellationToken = default)
    {
        var (first, count) = (rows ?? Range.All).GetOffsetAndLength(prompt.InputIds.Length);
        if ((long)count * Config.Text.VocabularySize > Array.MaxLength)
        {
            throw new ArgumentException($"{count} × {Config.Text.VocabularySize} logits are more than an array holds: ask for fewer tokens at once.", nameof(rows));
        }

        using var session = _sessions.Begin(() => _execution.NewSession(1));
        return session.Logits(prompt, first..(first + count), cancellationToken);
    }

    /// <summary>The stream of a prompt's tokens after some of the decoder's blocks, to the bits of an answer's.</summary>
    /// <param name="prompt">T tokens.</param>
    /// <param name="after">After how many blocks, for each state: 0 for the embeddings; after all of them, <c>^0</c>, it is normed, as the head reads it.</param>
    /// <param name="cancellationToken">Obeyed between decoder blocks.</param>
    /// <returns>[T, H] each, in the order of <paramref name="after"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The decoder has fewer blocks.</exception>
    /// <exception cref="MASQuantException">MASQ0921: the sequence is longer than the model's positions. MASQ0924: memory is short. MASQ1010: the model runs on a device.</exception>
    public IReadOnlyList<Matrix> HiddenStates(PreparedPrompt prompt, IReadOnlyList<Index> after, CancellationToken cancellationToken = default)
    {
        var blocks = Config.Text.Layers;
        int[] counts = [.. after.Select(index => index.GetOffset(blocks))];
        foreach (var count in counts)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(count, nameof(after));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(count, blocks, nameof(after));
        }

        // A device's decoder keeps its stream to itself, and another one's would differ in last bits.
        return DeviceName == DeviceChoice.Processor
            ? Users.Run(token => new DecoderSession(Decoder, _options.PrefillTokens, _options.KeyValues).HiddenStates(prompt, counts, token), cancellationToken)
            : throw new MASQuantException(DiagnosticCodes.HiddenStatesOnDevice, null, $"The model runs on '{DeviceName}', whose hidden states are not read back. Load it on the processor for them: ModelOptions.Device = \"cpu\".");
    }

    /// <summary>Ends the model and closes its files, at any moment and on any thread. Answers in progress end with an <see cref="ObjectDisposedException"/>, at their next token, between two blocks of a tower or of the decoder, or when a medium is decoded; this returns when none uses the model any more.</summary>
    /// <remarks>May be called again, and by who enumerates an answer: between two pieces it is not in use.</remarks>
    public void Dispose() => Users.End();

    private void Release()
    {
        try
        {
            _sessions.End();
            _execution.Dispose();
        }
        finally
        {
            _source.Dispose();
        }
    }

    // A disposed model and options out of range are refused before the enumeration.
    private GenerationOptions BeforeEnumeration(GenerationOptions? options)
    {
        Users.Enter().Dispose();
        options ??= DefaultOptions;
        options.Validate();
        if (options.Thinks)
        {
            Encoder.RequireThought();
        }

        return options;
    }

    // A session for each enumeration, begun with it.
    private IEnumerable<Sequence> Sequences(IEnumerable<Func<PreparedPrompt>> prompts, int most, GenerationOptions options, TokenGrammar? grammar, CancellationToken cancellationToken)
    {
        var session = _sessions.Begin(() => _execution.NewSession(most));
        foreach (var sequence in TokenGenerator.Generate(session, most, prompts, options, options.StopTokens ?? _endTokens, grammar, cancellationToken))
        {
            yield return sequence;
        }
    }

    private IEnumerable<BatchPiece> Batch(IEnumerable<Prompt> prompts, GenerationOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        return Pieces(prompts, _options.MaxSequences, options, cancellationToken).Select(AnswerPieces.WithPromptInError);
    }

    private IEnumerable<BatchPiece> Pieces(IEnumerable<Prompt> prompts, int most, GenerationOptions? options, CancellationToken cancellationToken)
    {
        options ??= DefaultOptions;
        var prepared = prompts.Select(prompt => (Func<PreparedPrompt>)(() => Prepare(prompt ?? throw new ArgumentNullException(nameof(prompts)), options.Thinks, cancellationToken)));
        return Pieces(GenerateTokens(prepared, most, options, cancellationToken), options);
    }

    private IEnumerable<BatchPiece> Pieces(IEnumerable<Sequence> sequences, GenerationOptions options) => AnswerPieces.Of(sequences, Tokenizer, options.StopStrings, ThoughtOf(options));

    private ThoughtFormat? ThoughtOf(GenerationOptions options) => options.Thinks ? Encoder.Thought : null;

    private static async IAsyncEnumerable<T> WithoutHoldingTheCaller<T>(Func<CancellationToken, IEnumerable<T>> generate, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var pieces = generate(cancellationToken).GetEnumerator();
        while (await Task.Run(pieces.MoveNext, cancellationToken).ConfigureAwait(false))
        {
            yield return pieces.Current;
        }
    }

    private static ImageBudget Budget(ModelOptions options, IModelExecution execution) => new()
    {
        MinPixels = options.MinPixels,
        MaxPixels = options.MaxPixels,
        Limits = options.Limits,
        ImageDecoders = options.ImageDecoders,
        AudioDecoders = options.AudioDecoders,
        MaxFramesPerSecond = options.MaxFramesPerSecond,
        MaxFrames = options.MaxFrames,
        Ceiling = execution.DeviceName == DeviceChoice.Processor ? ImageBudget.ProcessorPixels : int.MaxValue,
    };
}
