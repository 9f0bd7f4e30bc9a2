using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Cuda.Models;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Checks;

/// <summary>A decoder of random weights in one format, as the processor and as a device hold it. Magnitudes are those of a trained model: products of unit tokens have unit size.</summary>
internal sealed class SmallDecoder
{
    private const int Rank = 6;
    private static readonly TextConfig Config = new()
    {
        HiddenSize = 128,
        Layers = 2,
        IntermediateSize = 256,
        AttentionHeads = 4,
        KeyValueHeads = 2,
        VocabularySize = 96,
        RmsNormEpsilon = 1e-6f,
        RopeTheta = 10_000,
        MropeSections = [8, 4, 4],
        TieWordEmbeddings = false,
        MaxPositions = 1024,
    };

    private static readonly DecoderDescription Description = Qwen25Decoder.Describe(Config);

    private readonly Random _random;
    private readonly QuantizationScheme? _scheme;
    private readonly float[] _gain;
    private readonly byte[] _head;
    private readonly byte[] _embedding;
    private readonly float[][] _smoothing;
    private readonly Dictionary<(int Layer, string Name), QuantizedWeight> _quantized = [];
    private readonly Dictionary<(int Layer, string Name), byte[]> _plain = [];

    /// <summary>Draws the weights; without a scheme they are BF16.</summary>
    public SmallDecoder(QuantizationScheme? scheme, int seed)
    {
        (_scheme, _random) = (scheme, new Random(seed));
        _gain = [.. Enumerable.Range(0, Config.HiddenSize).Select(i => 0.75f + (i % 3 * 0.25f))];
        _head = Rounded(Config.VocabularySize, Config.HiddenSize);
        _embedding = Rounded(Config.VocabularySize, 1, Config.HiddenSize);
        _smoothing = [[], [.. Enumerable.Range(0, Config.IntermediateSize).Select(k => 0.75f + (k % 3 * 0.25f))], []];
        foreach (var (layer, linear) in Description.Blocks.Index().SelectMany(block => block.Item.Linears.Select(linear => (block.Index, linear))))
        {
            if (scheme is { } quantized)
            {
                _quantized.Add((layer, linear.Name), Quantized(quantized, linear));
            }
            else
            {
                _plain.Add((layer, linear.Name), Rounded(linear.Outputs, linear.Inputs));
            }
        }
    }

    /// <summary>Random ids, the second quarter of them vision with embeddings of its own.</summary>
    public PreparedPrompt Prompt(int tokens)
    {
        var modalities = Enumerable.Range(0, tokens).Select(t => t >= tokens / 4 && t < tokens / 2 ? Modality.Vision : Modality.Text).ToArray();
        var ids = modalities.Select(_ => _random.Next(Config.VocabularySize)).ToArray();
        return Prompt(ids, modalities, [.. modalities.Select((modality, t) => modality == Modality.Text ? Embedding(ids[t]) : Rounded(1, 1, Config.HiddenSize))]);
    }

    /// <summary>The prompt with tokens behind it.</summary>
    public PreparedPrompt Extend(PreparedPrompt prompt, int[] ids)
    {
        var extended = Prompt([.. prompt.InputIds, .. ids], [.. prompt.Modalities.Tokens, .. ids.Select(_ => Modality.Text)], [.. prompt.InputIds.Concat(ids).Select(Embedding)]);
        prompt.InputEmbeddings.Span.CopyTo(extended.InputEmbeddings.Span);
        return extended;
    }

    public Decoder OnProcessor()
    {
        ILinearGroup Group(int layer, InputGroup group)
        {
            var names = Names(group);
            return _scheme is null
                ? new DenseLinearGroup([.. names.Select(linear => (DenseWeight.FromBFloat16(_plain[(layer, linear.Name)], linear.Outputs, linear.Inputs), Array.Empty<float>()))])
                : new QuantizedLinearGroup([.. names.Select(linear => _quantized[(layer, linear.Name)])], Smoothing(names[0].Inputs), new CpuGemmBackend());
        }

        using var source = new MemoryTensors(Config, _head, _embedding, _gain);
        return Decoder.Read(source, Description, layer => new TransformerBlock(
            Description.Blocks[layer], [.. Description.Blocks[layer].Norms.Select(WithGain)], [.. Description.Blocks[layer].Groups.Select(group => Group(layer, group))]));
    }

    public DeviceDecoder On(ICudaDevice device)
    {
        DeviceInputGroup Group(DeviceUpload upload, int layer, InputGroup group)
        {
            var names = Names(group);
            return _scheme is null
                ? new DeviceInputGroup(new DeviceWeight(upload, [.. names.Select(linear => (ReadOnlyMemory<byte>)_plain[(layer, linear.Name)])], names[0].Inputs, []), new DeviceSmoothing(upload, InputTransform.None))
                : new DeviceInputGroup(new DeviceWeight(upload, [.. names.Select(linear => _quantized[(layer, linear.Name)])]), new DeviceSmoothing(upload, Smoothing(names[0].Inputs)));
        }

        return new DeviceDecoder(device, new Lock(), Description, (upload, layer) => new DeviceTransformerBlock(
            Description.Blocks[layer],
            [.. Description.Blocks[layer].Norms.Select(norm => DeviceNorm.Add(upload, WithGain(norm)))],
            [.. Description.Blocks[layer].Groups.Select(group => Group(upload, layer, group))]), WithGain(Description.FinalNorm), [_head], _embedding.Length == 0 ? [] : [_embedding]);
    }

    private static PreparedPrompt Prompt(int[] ids, Modality[] modalities, byte[][] rows)
    {
        var embeddings = new Matrix(ids.Length, Config.HiddenSize);
        for (var t = 0; t < ids.Length; t++)
        {
            BFloat16.Widen(MemoryMarshal.Cast<byte, ushort>(rows[t]), embeddings.Row(t));
        }

        return new PreparedPrompt { InputIds = ids, PositionIds = PositionIds.Text(0, ids.Length), InputEmbeddings = embeddings, Modalities = new ModalityMap(modalities), AnswerRange = ids.Length..ids.Length };
    }

    private byte[] Embedding(int id) => _embedding[(id * Config.HiddenSize * sizeof(ushort))..((id + 1) * Config.HiddenSize * sizeof(ushort))];

    private static IReadOnlyList<DecoderLinear> Names(InputGroup group) => Description.Blocks[0].LinearsOf(group);

    private Norm WithGain(NormDescription norm) => new(norm, _gain, []);

    private InputTransform Smoothing(int inputs) => new([[], _smoothing[1][..inputs], []]);

    private QuantizedWeight Quantized(QuantizationScheme scheme, DecoderLinear linear)
    {
        var (outputs, inputs, unsigned) = (linear.Outputs, linear.Inputs, !scheme.QuantizesActivations);
        var codes = Enumerable.Range(0, outputs * inputs).Select(_ => (sbyte)(_random.Next((2 * scheme.WeightMax) + 1) - (unsigned ? 0 : scheme.WeightMax))).ToArray();
        var groups = unsigned ? inputs / PackingLayout.GroupSize : 1;
        return new QuantizedWeight
        {
            Scheme = scheme,
            Outputs = outputs,
            Inputs = inputs,
            Codes = CodePacking.Pack(codes, outputs, inputs, scheme.WeightBits, unsigned),
            Scales = Enumerable.Range(0, outputs * groups).Select(_ => (1 + _random.NextSingle()) / (scheme.WeightMax * MathF.Sqrt(inputs))).ToArray(),
            ZeroPoints = unsigned ? Enumerable.Repeat((byte)scheme.WeightMax, outputs * groups).ToArray() : default(ReadOnlyMemory<byte>),
            Bias = Enumerable.Range(0, outputs).Select(_ => _random.NextSingle() - 0.5f).ToArray(),
            Patches = [null, new LowRankFactors(Wide(inputs, Rank, inputs), Wide(Rank, outputs, Rank)), null],
        };
    }

    /// <summary>BF16 numbers of a layer with so many inputs.</summary>
    private byte[] Rounded(int rows, int inputs, int? columns = null) => MemoryMarshal.AsBytes<ushort>([.. Wide(rows, columns ?? inputs, inputs).Span.ToArray().Select(BFloat16.FromSingle)]).ToArray();

    private Matrix Wide(int rows, int columns, int inputs)
    {
        var values = Enumerable.Range(0, rows * columns).Select(_ => ((_random.NextSingle() * 2) - 1) * MathF.Sqrt(3f / inputs)).ToArray();
        BFloat16.Round(values);
        return new Matrix(rows, columns, values);
    }
}
