using System.Runtime.InteropServices;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Schemes;

namespace MASQuant.Peers;

/// <summary>Our decoder, its head in BF16 or at 8 bits; what it embeds is made up.</summary>
internal sealed class OwnPeer : IPeer
{
    private const int PrefillTokens = 512;

    private readonly Decoder _decoder;
    private readonly DecoderWorkspace _workspace;
    private readonly RotaryTable _rotary;
    private readonly Matrix _input;
    private readonly Matrix _logits = new(16, PeerShape.Vocabulary);
    private readonly List<KvCache> _caches = [];

    /// <summary>A decoder of that shape; without a scheme its layers are BF16.</summary>
    public OwnPeer(PeerShape shape, QuantizationScheme? scheme, bool codesHead = false)
    {
        Name = $"MASQuant {scheme?.ToString() ?? "BF16"}{(codesHead ? ", head W8" : "")}";
        var config = shape.ToConfig();
        var description = Qwen25Decoder.Describe(config);
        var random = new Random(1);
        var gain = Ones(shape.Hidden);
        var pool = new PreparedTokensPool();
        _decoder = new Decoder(description, null!, [.. description.Blocks.Select(block => Block(block, scheme, random, gain, pool))], new Norm(description.FinalNorm, gain, []), Head(shape, random, codesHead, pool));
        (_workspace, _rotary) = (new DecoderWorkspace(config), new RotaryTable(description.Rotary));
        _input = Random(random, 2048, shape.Hidden, 1);
    }

    public string Name { get; }

    public void Prefill(int tokens)
    {
        _caches.Clear();
        _caches.Add(new KvCache(_decoder.Config));
        Matrix hidden = null!;
        for (var start = 0; start < tokens; start += PrefillTokens)
        {
            var count = Math.Min(PrefillTokens, tokens - start);
            hidden = new Matrix(count, _decoder.Config.HiddenSize);
            _input.Span.Slice(start * hidden.Columns, hidden.Span.Length).CopyTo(hidden.Span);
            _rotary.Set([.. Enumerable.Range(start, count)]);
            _decoder.Forward(hidden, ModalityMap.Text(count), _rotary, _workspace, _caches[0]);
        }

        var last = new Matrix(1, hidden.Columns, hidden.Row(hidden.Rows - 1).ToArray());
        _decoder.Logits(last, _workspace, _logits.Top(1));
    }

    public void Decode(int sequences)
    {
        var length = _caches[0].Length;
        while (_caches.Count < sequences)
        {
            var copy = new KvCache(_decoder.Config);
            copy.CopyFrom(_caches[0], length);
            _caches.Add(copy);
        }

        var hidden = new Matrix(sequences, _decoder.Config.HiddenSize);
        _input.Span[..hidden.Span.Length].CopyTo(hidden.Span);
        _rotary.Set([.. Enumerable.Repeat(length, sequences)]);
        var caches = CollectionsMarshal.AsSpan(_caches)[..sequences];
        _decoder.Forward(hidden, ModalityMap.Text(sequences), _rotary, _workspace, caches, deepstack: null, afterBlock: null, default);
        _decoder.Logits(hidden, _workspace, _logits.Top(sequences));
        foreach (var cache in caches)
        {
            cache.Truncate(length);
        }
    }

    public void Dispose()
    {
    }

    private static TransformerBlock Block(BlockDescription description, QuantizationScheme? scheme, Random random, float[] gain, PreparedTokensPool pool)
        => new(description, [.. description.Norms.Select(norm => new Norm(norm, gain, []))], [.. description.Projections.Select(step => Group(step, scheme, random, pool))]);

    private static ILinearGroup Group(ProjectStep step, QuantizationScheme? scheme, Random random, PreparedTokensPool pool) => scheme is { } quantized
        ? new QuantizedLinearGroup([.. step.Linears.Select(linear => Weight(random, quantized, linear.Outputs, linear.Inputs))], InputTransform.None, new CpuGemmBackend(), pool)
        : new DenseLinearGroup([.. step.Linears.Select(linear => (Dense(random, linear.Outputs, linear.Inputs), Array.Empty<float>()))]);

    private static ILinearGroup Head(PeerShape shape, Random random, bool codes, PreparedTokensPool pool) => codes
        ? new CodedLinearGroup([Weight(random, QuantizationScheme.W8A8, PeerShape.Vocabulary, shape.Hidden)], InputTransform.None, new CpuGemmBackend(), pool)
        : new DenseLinearGroup((Dense(random, PeerShape.Vocabulary, shape.Hidden), []));

    private static DenseWeight Dense(Random random, int outputs, int inputs)
    {
        var bytes = new byte[(long)outputs * inputs * sizeof(ushort)];
        RandomTensors.Fill(random, bytes);
        return DenseWeight.FromBFloat16(bytes, outputs, inputs);
    }

    private static QuantizedWeight Weight(Random random, QuantizationScheme scheme, int outputs, int inputs)
    {
        var codes = new byte[PackingLayout.PackedBytes(outputs, inputs, scheme.WeightBits)];
        random.NextBytes(codes);
        var groups = scheme.QuantizesActivations ? 1 : inputs / PackingLayout.GroupSize;
        var scale = scheme.WeightBits == 8 ? 0.0002f : 0.003f;
        return new QuantizedWeight { Scheme = scheme, Outputs = outputs, Inputs = inputs, Codes = codes, Scales = Enumerable.Repeat(scale, outputs * groups).ToArray(), ZeroPoints = scheme.QuantizesActivations ? default : Enumerable.Repeat((byte)8, outputs * groups).ToArray() };
    }

    private static float[] Ones(int count) => [.. Enumerable.Repeat(1f, count)];

    private static Matrix Random(Random random, int rows, int columns, float scale)
    {
        var matrix = new Matrix(rows, columns);
        foreach (ref var value in matrix.Span)
        {
            value = (random.NextSingle() - 0.5f) * scale;
        }

        return matrix;
    }
}
