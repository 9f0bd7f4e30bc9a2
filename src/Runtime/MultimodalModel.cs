using MASQuant.Engine.Execution;
using MASQuant.Engine.Models;
using MASQuant.Formats.Artifacts;

namespace MASQuant.Runtime;

/// <summary>A multimodal model, in full precision or quantized, that answers prompts of text, images, video frames and audio.</summary>
/// <remarks>Threads may share a model: every generation has a sequence of its own. It may be disposed at any moment.</remarks>
public sealed class MultimodalModel : IDisposable
{
    private readonly LoadedModel _model;

    private MultimodalModel(LoadedModel model, string path)
    {
        _model = model;
        Name = model.Artifact?.Manifest.Name ?? ModelName.From(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))));
        Artifact = model.Artifact is { } artifact ? new ModelArtifact(artifact, model.Users) : null;
    }

    /// <summary>The open artifact of a quantized model; null in full precision.</summary>
    public ModelArtifact? Artifact { get; }

    /// <summary>Where the model runs, in the words of <see cref="ModelOptions.Device"/>.</summary>
    public string DeviceName => _model.DeviceName;

    /// <summary>What is to be told of the processor that the model runs on, with a code and a remedy (MASQ1012: the system refuses its best kernels); null where there is nothing.</summary>
    public MASQuantException? ProcessorWarning => _model.ProcessorWarning;

    /// <summary>What the model's class is called: the artifact says so; in full precision it is made of the folder's name.</summary>
    public string Name { get; }

    /// <inheritdoc cref="LoadedModel.DefaultOptions"/>
    public GenerationOptions DefaultOptions => _model.DefaultOptions;

    /// <inheritdoc cref="LoadedModel.RecommendedOptions"/>
    public GenerationOptions RecommendedOptions => _model.RecommendedOptions;

    /// <summary>Opens a model.</summary>
    /// <param name="path">A checkpoint's folder (full precision) or an artifact's file (quantized).</param>
    /// <param name="options">How to run it.</param>
    /// <exception cref="MASQuantException">A file is missing, malformed, or of a kind or version that is not supported; the device is not usable.</exception>
    public static MultimodalModel Load(string path, ModelOptions? options = null) => new(LoadedModel.Load(path, options), path);

    /// <summary>Opens a model that was built into the running application: in <c>models</c> beside its assemblies, then beside its executable (which differ for a single file).</summary>
    /// <param name="artifactFile">The artifact's file name.</param>
    /// <param name="options">How to run it.</param>
    /// <exception cref="MASQuantException">MASQ0705, naming every place that was tried; otherwise as <see cref="Load"/>.</exception>
    public static MultimodalModel LoadBuilt(string artifactFile, ModelOptions? options = null) => Load(ModelFiles.Find(artifactFile), options);

    /// <inheritdoc cref="LoadedModel.Generate"/>
    public IEnumerable<string> Generate(Prompt prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
        => _model.Generate(prompt, options, cancellationToken);

    /// <inheritdoc cref="LoadedModel.GenerateAsync"/>
    public IAsyncEnumerable<string> GenerateAsync(Prompt prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
        => _model.GenerateAsync(prompt, options, cancellationToken);

    /// <inheritdoc cref="LoadedModel.GeneratePieces(Prompt, GenerationOptions?, CancellationToken)"/>
    public IEnumerable<BatchPiece> GeneratePieces(Prompt prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
        => _model.GeneratePieces(prompt, options, cancellationToken);

    /// <inheritdoc cref="LoadedModel.GeneratePiecesAsync"/>
    public IAsyncEnumerable<BatchPiece> GeneratePiecesAsync(Prompt prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
        => _model.GeneratePiecesAsync(prompt, options, cancellationToken);

    /// <inheritdoc cref="LoadedModel.GenerateBatch"/>
    public IReadOnlyList<string> GenerateBatch(IEnumerable<Prompt> prompts, GenerationOptions? options = null, CancellationToken cancellationToken = default)
        => _model.GenerateBatch(prompts, options, cancellationToken);

    /// <inheritdoc cref="LoadedModel.GenerateBatchAsync"/>
    public IAsyncEnumerable<BatchPiece> GenerateBatchAsync(IEnumerable<Prompt> prompts, GenerationOptions? options = null, CancellationToken cancellationToken = default)
        => _model.GenerateBatchAsync(prompts, options, cancellationToken);

    /// <summary>Renders, tokenizes and embeds a prompt, its media encoded: what <see cref="Logits"/> and <see cref="HiddenStates"/> take.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="thinks">Whether it ends where the model is to think (<see cref="GenerationOptions.Thinks"/>).</param>
    /// <param name="cancellationToken">Obeyed between the towers' blocks.</param>
    /// <exception cref="MASQuantException">A medium cannot be read or is of no use to the model; MASQ0904: the model does not think.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public ModelInput Prepare(Prompt prompt, bool thinks = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return new ModelInput(this, _model.Prepare(prompt, thinks, cancellationToken));
    }

    /// <summary>Answers a prompt that has been prepared, as <see cref="GeneratePieces"/> does. Whether the model thinks, the input says.</summary>
    /// <inheritdoc cref="LoadedModel.Generate"/>
    /// <exception cref="MASQuantException">MASQ0904: the options have it think, and the input does not.</exception>
    public IEnumerable<BatchPiece> GenerateFrom(ModelInput input, GenerationOptions? options = null, CancellationToken cancellationToken = default)
        => _model.GeneratePieces(Own(input), options, cancellationToken);

    /// <summary>The logits after tokens of a prompt, over the V tokens of the vocabulary.</summary>
    /// <param name="input">T tokens.</param>
    /// <param name="tokens">The tokens after which logits are wanted; null: the last, whose logits are those of the answer's first token.</param>
    /// <param name="cancellationToken">Obeyed between decoder blocks.</param>
    /// <returns>[number of tokens, V].</returns>
    /// <exception cref="ArgumentException">The input is another model's, or so many logits are more than an array holds.</exception>
    /// <exception cref="MASQuantException">MASQ0921: the sequence is longer than the model's positions. MASQ0924: memory is short.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public Matrix Logits(ModelInput input, Range? tokens = null, CancellationToken cancellationToken = default)
        => _model.Logits(Own(input), tokens ?? ^1.., cancellationToken);

    /// <summary>The stream of a prompt's tokens after some of the decoder's blocks: activations, and embeddings of texts and media.</summary>
    /// <param name="input">T tokens.</param>
    /// <param name="after">After how many blocks, for each state: 0 for the embeddings; after all of them, <c>^0</c>, it is normed, as the head reads it.</param>
    /// <param name="cancellationToken">Obeyed between decoder blocks.</param>
    /// <returns>[T, H] each, in the order of <paramref name="after"/>.</returns>
    /// <exception cref="ArgumentException">The input is another model's, or the decoder has fewer blocks.</exception>
    /// <exception cref="MASQuantException">MASQ0921: the sequence is longer than the model's positions. MASQ0924: memory is short. MASQ1010: the model runs on a device.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public IReadOnlyList<Matrix> HiddenStates(ModelInput input, IReadOnlyList<Index> after, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(after);
        return _model.HiddenStates(Own(input), after, cancellationToken);
    }

    /// <summary>How many tokens the model's tokenizer makes of a text.</summary>
    public int CountTokens(string text) => _model.Tokenizer.Encode(text).Count;

    /// <inheritdoc cref="LoadedModel.Dispose"/>
    public void Dispose() => _model.Dispose();

    private PreparedPrompt Own(ModelInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.Model == this ? input.Prompt : throw new ArgumentException("The input was prepared by another model.", nameof(input));
    }
}
