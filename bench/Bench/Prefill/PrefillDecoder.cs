using System.Diagnostics;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;

namespace MASQuant.Bench.Prefill;

/// <summary>A prompt through decoder blocks of Qwen2.5-VL-3B's shape with random content, W4A8 with rotated inputs and patches for vision, a quarter of the prompt a picture's.</summary>
internal sealed class PrefillDecoder
{
    private const int Vocabulary = 151936;

    /// <summary>Of the model; as many as these a block counts.</summary>
    public const int Layers = 36;

    private static readonly TextConfig Shape = new()
    {
        HiddenSize = 2048,
        Layers = 2,
        AttentionHeads = 16,
        KeyValueHeads = 2,
        IntermediateSize = 11008,
        VocabularySize = Vocabulary,
        MaxPositions = 32768,
        RmsNormEpsilon = 1e-6f,
        RopeTheta = 1e6f,
        MropeSections = [16, 24, 24],
        TieWordEmbeddings = false,
    };

    private static readonly DecoderDescription Description = Qwen25Decoder.Describe(Shape);
    private readonly RotaryTable _rotary = new(Description.Rotary);
    private readonly PartGroup[][] _groups;
    private readonly Norm[] _norms;
    private readonly PartBlock[] _parts;
    private readonly TransformerBlock[] _blocks;
    private readonly DecoderWorkspace _workspace = new(Shape);
    private readonly PartTimes _times;
    private readonly Matrix _prompt;
    private readonly ModalityMap _modalities;

    public PrefillDecoder(int tokens, PartTimes times)
    {
        var random = new Random(1);
        (_times, _prompt) = (times, QuantizedWorkload.RandomMatrix(random, tokens, Shape.HiddenSize));
        _modalities = new ModalityMap([.. Enumerable.Range(0, tokens).Select(token => token >= tokens / 8 && token < 3 * tokens / 8 ? Modality.Vision : Modality.Text)]);
        float[] gain = [.. Enumerable.Repeat(1f, Shape.HiddenSize)];
        var (pool, shared) = (new PreparedTokensPool(), new PreparedTokens());
        _groups = [.. Description.Blocks.Select(block => block.Projections.Select(step => new PartGroup(step, QuantizationScheme.W4A8, random, times, shared)).ToArray())];
        _norms = [.. Description.Blocks[0].Norms.Select(norm => new Norm(norm, gain, []))];
        _parts = [.. Description.Blocks.Zip(_groups, (block, groups) => new PartBlock(block, _norms, groups, times, 1))];
        _blocks = [.. Description.Blocks.Zip(_groups, (block, groups) => new TransformerBlock(block, _norms, [.. groups.Select(group => group.Whole(pool))]))];
    }

    /// <summary>Runs the prompt step by step.</summary>
    public void RunParts()
    {
        _times.BeginRound();
        var (caches, spare) = (new KvCache(Shape), new KvCache(Shape));
        ForEachChunk((start, hidden, modalities) =>
        {
            for (var layer = 0; layer < Shape.Layers; layer++)
            {
                var cache = caches[layer];
                _workspace.Attention.Begin(_rotary, new ReadOnlySpan<LayerMemory>(in cache));
                _workspace.Values.Resume([]);
                var run = new BlockRun { Stream = hidden, Modalities = modalities, Values = _workspace.Values, Deepstack = DeepstackRows.None, Attention = new Appending(_workspace.Attention, spare[layer], _times) };
                _parts[layer].Run(ref run, Attention(start, hidden.Rows));
            }
        });
    }

    /// <summary>Runs the prompt as the runtime does; returns seconds.</summary>
    public double RunWhole()
    {
        var cache = new KvCache(Shape);
        var start = Stopwatch.GetTimestamp();
        ForEachChunk((_, hidden, modalities) =>
        {
            for (var layer = 0; layer < Shape.Layers; layer++)
            {
                _blocks[layer].Forward(hidden, modalities, _rotary, _workspace, cache[layer]);
            }
        });
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Times the head of a model in BF16 and the choice of the largest logit, once each.</summary>
    public static void RunHead(PartTimes times)
    {
        var random = new Random(2);
        var values = new byte[sizeof(ushort) * (long)Vocabulary * Shape.HiddenSize];
        for (var i = 0; i < values.Length; i += 2)
        {
            (values[i], values[i + 1]) = ((byte)random.Next(), (byte)(0x3C | (random.Next() & 0x80)));
        }

        var head = DenseWeight.FromBFloat16(values, Vocabulary, Shape.HiddenSize);
        var (x, logits, sampler) = (QuantizedWorkload.RandomMatrix(random, 1, Shape.HiddenSize), new Matrix(1, Vocabulary), new Sampler(new GenerationOptions()));
        for (var round = 0; round < 5; round++)
        {
            times.BeginRound();
            times.Time("head", new(Bytes: values.Length), () => FloatGemm.Multiply(x, head, default, logits));
            times.Time("choice of the token", Floor.Passes(logits), () => sampler.Next(logits.Row(0)));
        }
    }

    // Query t sees t + 1 keys, with d products for its score and d for its value.
    private static double Attention(long start, long count)
        => 4.0 * Shape.AttentionHeads * Shape.HeadSize * (((start + count) * (start + count + 1)) - (start * (start + 1))) / 2;

    private void ForEachChunk(Action<int, Matrix, ModalityMap> run)
    {
        for (var start = 0; start < _prompt.Rows; start += DecoderSession.DefaultPrefillTokens)
        {
            var hidden = new Matrix(Math.Min(DecoderSession.DefaultPrefillTokens, _prompt.Rows - start), Shape.HiddenSize);
            _prompt.Span.Slice(start * hidden.Columns, hidden.Span.Length).CopyTo(hidden.Span);
            _rotary.Set([.. Enumerable.Range(start, hidden.Rows)]);
            run(start, hidden, new ModalityMap(_modalities.Tokens.Slice(start, hidden.Rows)));
        }
    }

    /// <summary>Times what adds keys and values to a cache by doing it twice.</summary>
    private sealed class Appending(DecoderAttention attention, LayerMemory spare, PartTimes times) : IBlockAttention
    {
        public Recurrence Recurrence => attention.Recurrence;

        public void Rotate(Matrix x) => attention.Rotate(x);

        public void Attend(AttendStep step, Matrix queries, Matrix keys, Matrix values, Matrix output)
        {
            var start = Stopwatch.GetTimestamp();
            spare.KeysAndValues(step).Append(keys, values, 0, keys.Rows);
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            times.Add("cache append", Floor.Passes(keys, keys, values, values), seconds);
            times.Add("attention: scores, softmax, values", default, -2 * seconds); // Once here, once with the attention.
            attention.Attend(step, queries, keys, values, output);
        }
    }
}
