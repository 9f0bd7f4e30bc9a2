using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Models;

/// <summary>The language model's blocks, final norm and head, resident on a device. Immutable; sessions share it, one at work at a time.</summary>
public sealed class DeviceDecoder : IDisposable
{
    private readonly DeviceSlot _embedding;
    private readonly bool _looksUpHead;
    private readonly IDeviceMemory _memory;

    /// <summary>Copies a decoder to a device.</summary>
    /// <param name="device">Receives it.</param>
    /// <param name="gate">Held by whoever queues work on <paramref name="device"/>.</param>
    /// <param name="description">What it is made of.</param>
    /// <param name="block">Adds each block to the upload; called with 0, 1, ….</param>
    /// <param name="finalNorm">The norm before the head.</param>
    /// <param name="head">[V, H] BF16, row-major, in pieces of whole panels of the kernels.</param>
    /// <param name="embedding">As <paramref name="head"/>; empty: the head is the embedding.</param>
    /// <param name="codedHead">[V, H] at 8 bits, in place of <paramref name="head"/>, beside an embedding; null: none.</param>
    /// <exception cref="MASQuantException">MASQ1004: the device has too little memory.</exception>
    public DeviceDecoder(
        ICudaDevice device, Lock gate, DecoderDescription description, Func<DeviceUpload, int, DeviceTransformerBlock> block, Norm finalNorm, IReadOnlyList<ReadOnlyMemory<byte>> head, IReadOnlyList<ReadOnlyMemory<byte>> embedding, CodedMatrix? codedHead = null)
    {
        var config = description.Config;
        (Device, Gate, Description, _looksUpHead) = (device, gate, description, embedding.Count == 0);
        Heads = new HeadShape(config.AttentionHeads, config.KeyValueHeads, config.HeadSize) { Rotated = description.Rotary.RotatedSize };
        var upload = new DeviceUpload();
        Blocks = [.. Enumerable.Range(0, description.Blocks.Count).Select(layer => block(upload, layer))];
        FinalNorm = DeviceNorm.Add(upload, finalNorm);
        Head = codedHead is null
            ? new DeviceInputGroup(new DeviceWeight(upload, head, config.HiddenSize, []))
            : new DeviceInputGroup(new DeviceWeight(upload, [codedHead.Weight]), new DeviceSmoothing(upload, InputTransform.None with { RotationBlock = codedHead.RotationBlock }));
        _embedding = upload.Add(embedding);
        Bytes = upload.Bytes;
        _memory = upload.Run(device);
    }

    /// <summary>The device memory that the weights take.</summary>
    public long Bytes { get; }

    /// <summary>Where everything lies.</summary>
    public ICudaDevice Device { get; }

    /// <summary>Held while work is queued: a device is for one thread at a time.</summary>
    public Lock Gate { get; }

    /// <summary>What it is made of.</summary>
    public DecoderDescription Description { get; }

    /// <summary>The extents.</summary>
    public TextConfig Config => Description.Config;

    /// <summary>Refuses token ids without a row in the embedding; null: all are taken for good.</summary>
    public TokenEmbedding? Vocabulary { get; private init; }

    /// <summary>How many blocks get rows of the vision tower.</summary>
    public int DeepstackLevels => Description.Blocks.Sum(block => block.Steps.Count(step => step is DeepstackStep));

    /// <summary>The heads of attention.</summary>
    public HeadShape Heads { get; }

    /// <summary>The most sequences of a step: as many as products take in one pass over the weights, with each row's sums as if it were alone. One where heads are not for the decode kernel.</summary>
    public int MaxSequences => DecoderKernels.DecodeParts(Heads, 0, Device.Multiprocessors) == 0 ? 1 : GemmKernels.DecodeTokens;

    /// <summary>The decoder blocks, in order.</summary>
    public IReadOnlyList<DeviceTransformerBlock> Blocks { get; }

    /// <summary>The norm before the head.</summary>
    public DeviceNorm FinalNorm { get; }

    /// <summary>[V, H], BF16 or at 8 bits.</summary>
    public DeviceInputGroup Head { get; }

    /// <summary>Fills [M, H] with the rows of token ids and media: see <see cref="TokenKernels.Embed"/>.</summary>
    public KernelLaunch Embed(DevicePointer sources, DevicePointer media, DevicePointer hidden, int tokens)
        => TokenKernels.Embed(sources, _looksUpHead ? Head.Weight.Codes : _embedding.Pointer, _looksUpHead, media, hidden, tokens, Config.HiddenSize);

    /// <summary>Whether the kernels take a decoder whole: its steps, and heads of 32, 64, 128 or 256 values.</summary>
    public static bool Supports(DecoderDescription description)
        => DecoderKernels.Supports(description.Config.HeadSize) && description.FinalNorm.Kind == NormKind.RootMeanSquare && description.Blocks.All(DeviceTransformerBlock.Supports) && description.Blocks[^1].Steps[^1] is AddStep;

    /// <summary>Copies a decoder to a device.</summary>
    /// <param name="device">Receives it.</param>
    /// <param name="gate">Held by whoever queues work on <paramref name="device"/>.</param>
    /// <param name="source">A checkpoint, whose weights become BF16, or an artifact.</param>
    /// <param name="description">What it is made of.</param>
    /// <param name="vocabulary">Knows the token ids; its table is copied as BF16.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite; MASQ0501 a shape that the kernels do not take; MASQ1004 too little memory.</exception>
    public static DeviceDecoder Read(ICudaDevice device, Lock gate, IModelSource source, DecoderDescription description, TokenEmbedding vocabulary)
    {
        var config = description.Config;
        IReadOnlyList<ReadOnlyMemory<byte>> Table(string name) => BFloat16Tensor.ReadPieces(source, name, config.VocabularySize, config.HiddenSize);
        var embedding = Table(description.Embedding);
        var coded = CodedMatrix.TryRead(source, description.Head, config.VocabularySize, config.HiddenSize) is { } matrix && (matrix.Weight.Outputs, matrix.Weight.Inputs) == (config.VocabularySize, config.HiddenSize) ? matrix : null;
        lock (gate)
        {
            return new DeviceDecoder(device, gate, description, (upload, layer) => ReadBlock(upload, source, description, layer), Norm.Read(source, "", description.FinalNorm),
                coded is not null ? [] : description.IsHeadTied ? embedding : Table(description.Head), description.IsHeadTied && coded is null ? [] : embedding, coded)
            {
                Vocabulary = vocabulary,
            };
        }
    }

    /// <summary>Frees the memory; sessions have been disposed.</summary>
    public void Dispose() => _memory.Dispose();

    private static DeviceTransformerBlock ReadBlock(DeviceUpload upload, IModelSource source, DecoderDescription decoder, int layer)
        => DeviceTransformerBlock.Read(upload, source, decoder.Blocks[layer], step => ReadGroup(upload, source, decoder, layer, step));

    private static DeviceInputGroup ReadGroup(DeviceUpload upload, IModelSource source, DecoderDescription decoder, int layer, ProjectStep step)
        => source is Artifact artifact && DecoderReader.ReadQuantized(artifact, decoder, layer, step) is { } weights
            ? new DeviceInputGroup(new DeviceWeight(upload, weights), new DeviceSmoothing(upload, artifact.ReadInput(layer, step.Group!.Value)))
            : DeviceLinears.Read(upload, source, step, decoder.Blocks[layer].Prefix, pads: step.Group is null); // a and b are a few rows
}
