using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Schemes;

namespace MASQuant.Bench;

/// <summary>Steps of generation through decoder blocks with random content, more than caches hold, each sequence behind a prompt of its own; the blocks have Qwen2.5-Omni-3B's shape unless another is given.</summary>
internal sealed class DecodingWorkload
{
    private const int Blocks = 4;

    /// <summary>The tokens of a prompt.</summary>
    public const int PromptTokens = 256;

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

    private readonly Decoder _decoder;
    private readonly DecoderWorkspace _workspace;
    private readonly RotaryTable _rotary;
    private readonly KvCache[] _caches;
    private readonly KvCache _fresh;
    private readonly Matrix _prompt;
    private readonly Matrix _input;
    private readonly Matrix _hidden;

    public DecodingWorkload(QuantizationScheme scheme, int sequences, DecoderDescription? description = null)
    {
        var (random, decoder) = (new Random(1), description ?? Qwen25Decoder.Describe(Shape));
        var (config, pool) = (decoder.Config, new PreparedTokensPool());
        (_workspace, _rotary, _fresh) = (new DecoderWorkspace(config), new RotaryTable(decoder.Rotary), new KvCache(config));
        _decoder = new Decoder(decoder, null!, [.. decoder.Blocks.Select(block => Block(block, scheme, random, pool))], null!, new DenseLinearGroup((DenseWeight.FromFloats(new Matrix(1, config.HiddenSize)), [])));
        (_input, _hidden) = (QuantizedWorkload.RandomMatrix(random, sequences, config.HiddenSize), new Matrix(sequences, config.HiddenSize));
        _caches = [.. Enumerable.Range(0, sequences).Select(_ => new KvCache(config))];
        _prompt = QuantizedWorkload.RandomMatrix(random, PromptTokens, config.HiddenSize);
        Array.ForEach(_caches, Prefill);
    }

    /// <summary>A prompt.</summary>
    public void Prefill() => Prefill(_fresh);

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

    private void Prefill(KvCache cache)
    {
        cache.Truncate(0);
        _rotary.Set([.. Enumerable.Range(0, PromptTokens)]);
        _decoder.Forward(_prompt.Copy(), ModalityMap.Text(PromptTokens), _rotary, _workspace, cache);
    }

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

    internal static TransformerBlock Block(BlockDescription description, QuantizationScheme scheme, Random random, PreparedTokensPool pool)
    {
        ILinearGroup Group(ProjectStep step) => step.Group is null
            ? new DenseLinearGroup([.. step.Linears.Select(linear => (DenseWeight.FromFloats(QuantizedWorkload.RandomMatrix(random, linear.Outputs, linear.Inputs)), Array.Empty<float>()))])
            : new QuantizedLinearGroup([.. step.Linears.Select(linear => QuantizedWorkload.RandomWeight(random, scheme, linear.Outputs, linear.Inputs))], InputTransform.None, new CpuGemmBackend(), pool);
        return new TransformerBlock(
            description,
            [.. description.Norms.Select(norm => new Norm(norm, QuantizedWorkload.RandomMatrix(random, 1, norm.Size).Data, []))],
            [.. description.Projections.Select(Group)],
            [.. description.Parameters.Select(parameter => QuantizedWorkload.RandomMatrix(random, parameter.Rows, Math.Max(1, parameter.Columns)).Data)]);
    }
}
