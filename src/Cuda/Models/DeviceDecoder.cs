using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Models;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Models;

/// <summary>The language model's blocks, final norm and head, resident on a device. Immutable; sessions share it, one at work at a time.</summary>
public sealed class DeviceDecoder : IDisposable
{
    private static readonly float[][] NoSmoothing = [[], [], []];
    private readonly DeviceSlot _embedding;
    private readonly IDeviceMemory _memory;

    /// <summary>Copies a decoder to a device.</summary>
    /// <param name="device">Receives it.</param>
    /// <param name="gate">Held by whoever queues work on <paramref name="device"/>.</param>
    /// <param name="config">The extents.</param>
    /// <param name="block">Adds each block to the upload; called with 0, 1, ….</param>
    /// <param name="finalNorm">The gain of the norm before the head, H values.</param>
    /// <param name="head">[V, H] BF16, row-major.</param>
    /// <param name="embedding">As <paramref name="head"/>; empty: the head is the embedding.</param>
    /// <exception cref="MASQuantException">MASQ1004: the device has too little memory.</exception>
    public DeviceDecoder(
        ICudaDevice device, Lock gate, TextConfig config, Func<DeviceUpload, int, DeviceDecoderBlock> block, float[] finalNorm, ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> embedding)
    {
        (Device, Gate, Config) = (device, gate, config);
        Heads = new HeadShape(config.AttentionHeads, config.KeyValueHeads, config.HeadSize);
        var upload = new DeviceUpload();
        Unsmoothed = new DeviceSmoothing(upload, NoSmoothing);
        Blocks = [.. Enumerable.Range(0, config.Layers).Select(layer => block(upload, layer))];
        FinalNorm = upload.Add<float>(finalNorm);
        Head = new DeviceWeight(upload, [head], config.HiddenSize, []);
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

    /// <summary>The extents.</summary>
    public TextConfig Config { get; }

    /// <summary>Refuses token ids without a row in the embedding; null: all are taken for good.</summary>
    public TokenEmbedding? Vocabulary { get; private init; }

    /// <summary>The heads of attention.</summary>
    public HeadShape Heads { get; }

    /// <summary>The most sequences of a step: as many as products take in one pass over the weights, with each row's sums as if it were alone. One where heads are not for the decode kernel.</summary>
    public int MaxSequences => DecoderKernels.DecodeParts(Heads, 0, Device.Multiprocessors) == 0 ? 1 : GemmKernels.DecodeTokens;

    /// <summary>The decoder blocks, in order.</summary>
    public IReadOnlyList<DeviceDecoderBlock> Blocks { get; }

    /// <summary>The gain of the norm before the head, H values.</summary>
    public DeviceSlot FinalNorm { get; }

    /// <summary>[V, H], BF16.</summary>
    public DeviceWeight Head { get; }

    /// <summary>Smooths nothing: what the head reads.</summary>
    public DeviceSmoothing Unsmoothed { get; }

    /// <summary>Fills [M, H] with the rows of token ids and media: see <see cref="TokenKernels.Embed"/>.</summary>
    public KernelLaunch Embed(DevicePointer sources, DevicePointer media, DevicePointer hidden, int tokens)
        => TokenKernels.Embed(sources, Config.TieWordEmbeddings ? Head.Codes : _embedding.Pointer, Config.TieWordEmbeddings, media, hidden, tokens, Config.HiddenSize);

    /// <summary>Whether the kernels take a decoder whole: heads of 32, 64 or 128 values.</summary>
    public static bool Takes(TextConfig config) => DecoderKernels.Supports(config.HeadSize);

    /// <summary>Copies a decoder to a device.</summary>
    /// <param name="device">Receives it.</param>
    /// <param name="gate">Held by whoever queues work on <paramref name="device"/>.</param>
    /// <param name="source">A checkpoint, whose weights become BF16, or an artifact.</param>
    /// <param name="config">The extents.</param>
    /// <param name="vocabulary">Knows the token ids; its table is copied as BF16.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite; MASQ0501 a shape that the kernels do not take; MASQ1004 too little memory.</exception>
    public static DeviceDecoder Read(ICudaDevice device, Lock gate, IModelSource source, TextConfig config, TokenEmbedding vocabulary)
    {
        ReadOnlyMemory<byte> Table(string name) => BFloat16Tensor.Read(source, name, config.VocabularySize, config.HiddenSize);
        var embedding = Table(TokenEmbedding.Tensor);
        lock (gate)
        {
            return new DeviceDecoder(device, gate, config, (upload, layer) => ReadBlock(upload, source, config, layer), source.ReadFloats("model.norm.weight", config.HiddenSize),
                config.TieWordEmbeddings ? embedding : Table("lm_head.weight"), config.TieWordEmbeddings ? default : embedding)
            {
                Vocabulary = vocabulary,
            };
        }
    }

    /// <summary>Frees the memory; sessions have been disposed.</summary>
    public void Dispose() => _memory.Dispose();

    private static DeviceDecoderBlock ReadBlock(DeviceUpload upload, IModelSource source, TextConfig config, int layer)
    {
        DeviceInputGroup Group(InputGroup group) => ReadGroup(upload, source, config, layer, group);
        var norms = BlockWeights.ReadNorms(source, config, layer);
        return new DeviceDecoderBlock(upload.Add<float>(norms.Input), upload.Add<float>(norms.PostAttention), Group(InputGroup.Qkv), Group(InputGroup.O), Group(InputGroup.GateUp), Group(InputGroup.Down));
    }

    private static DeviceInputGroup ReadGroup(DeviceUpload upload, IModelSource source, TextConfig config, int layer, InputGroup group)
    {
        if (source is Artifact artifact && DecoderReader.ReadQuantized(artifact, config, layer, group) is { } weights)
        {
            return new DeviceInputGroup(new DeviceWeight(upload, weights), new DeviceSmoothing(upload, artifact.ReadInverseSmoothing(layer, group)));
        }

        LinearWeight[] layers = [.. DecoderLinear.Of(config).Where(linear => linear.Group == group).Select(linear => LinearWeight.Of(source, linear, layer))];
        var bias = layers.All(weight => weight.Bias.Length == 0) ? [] : layers.SelectMany(weight => weight.Bias.Length == 0 ? new float[weight.Linear.Outputs] : weight.Bias).ToArray();
        return new DeviceInputGroup(
            new DeviceWeight(upload, [.. layers.Select(weight => BFloat16Tensor.Read(source, weight.Tensor, weight.Linear.Outputs, weight.Linear.Inputs))], layers[0].Linear.Inputs, bias),
            new DeviceSmoothing(upload, NoSmoothing));
    }
}
