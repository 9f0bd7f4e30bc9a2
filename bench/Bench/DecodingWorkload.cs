using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Schemes;

namespace MASQuant.Bench;

/// <summary>Steps of generation through decoder blocks of Qwen2.5-Omni-3B's shape with random content, more than caches hold, each sequence behind a prompt of its own.</summary>
internal sealed class DecodingWorkload
{
    private const int Blocks = 4;
    private const int PromptTokens = 256;

    private static readonly TextConfig Shape = new()
    {
        HiddenSize = 2048,
        Layers = Blocks,
        AttentionHeads = 16,
        KeyValueHeads = 2,
        IntermediateSize = 11008,
        VocabularySize = 16,
        MaxPositions = 32768,
        RmsNormEpsilon = 1e-6f,
        RopeTheta = 1e6f,
        MropeSections = [16, 24, 24],
        TieWordEmbeddings = false,
    };

    private static readonly DecoderDescription Description = Qwen25Decoder.Describe(Shape);

    private readonly Decoder _decoder;
    private readonly DecoderWorkspace _workspace = new(Shape);
    private readonly RotaryTable _rotary = new(Description.Rotary);
    private readonly KvCache[] _caches;
    private readonly Matrix _input;
    private readonly Matrix _hidden;

    public DecodingWorkload(QuantizationScheme scheme, int sequences)
    {
        var random = new Random(1);
        _decoder = new Decoder(Description, null!, [.. Description.Blocks.Select(block => Block(block, scheme, random))], null!, new DenseLinearGroup((DenseWeight.FromFloats(new Matrix(1, Shape.HiddenSize)), [])));
        (_input, _hidden) = (QuantizedWorkload.RandomMatrix(random, sequences, Shape.HiddenSize), new Matrix(sequences, Shape.HiddenSize));
        _caches = [.. Enumerable.Range(0, sequences).Select(_ => new KvCache(Shape))];
        var prompt = QuantizedWorkload.RandomMatrix(random, PromptTokens, Shape.HiddenSize);
        _rotary.Set([.. Enumerable.Range(0, PromptTokens)]);
        foreach (var cache in _caches)
        {
            _decoder.Forward(prompt.Copy(), ModalityMap.Text(PromptTokens), _rotary, _workspace, cache);
        }
    }

    /// <summary>One token of each sequence, all in one step.</summary>
    public void Together() => Step(_hidden, _caches);

    /// <summary>One token of each sequence, a step each.</summary>
    public void Apart()
    {
        var row = _hidden.Top(1);
        foreach (ref readonly var cache in _caches.AsSpan())
        {
            Step(row, new ReadOnlySpan<KvCache>(in cache));
        }
    }

    /// <summary>As many tokens as there are sequences, all of the first one, in one pass: a token and what is guessed to follow.</summary>
    public void Ahead() => Step(_hidden, new ReadOnlySpan<KvCache>(in _caches[0]));

    private void Step(Matrix hidden, ReadOnlySpan<KvCache> caches)
    {
        _input.Span[..hidden.Span.Length].CopyTo(hidden.Span);
        var isOne = caches.Length == 1;
        _rotary.Set([.. Enumerable.Range(PromptTokens, hidden.Rows).Select(position => isOne ? position : PromptTokens)]);
        _decoder.Forward(hidden, ModalityMap.Text(hidden.Rows), _rotary, _workspace, caches, deepstack: null, afterBlock: null, default);
        foreach (var cache in caches)
        {
            cache.Truncate(PromptTokens);
        }
    }

    private static TransformerBlock Block(BlockDescription description, QuantizationScheme scheme, Random random)
    {
        var gain = QuantizedWorkload.RandomMatrix(random, 1, Shape.HiddenSize).Data;
        QuantizedLinearGroup Group(ProjectStep step) => new(
            [.. step.Linears.Select(linear => QuantizedWorkload.RandomWeight(random, scheme, linear.Outputs, linear.Inputs))], InputTransform.None, new CpuGemmBackend());
        return new TransformerBlock(description, [.. description.Norms.Select(norm => new Norm(norm, gain, []))], [.. description.Projections.Select(Group)]);
    }
}
