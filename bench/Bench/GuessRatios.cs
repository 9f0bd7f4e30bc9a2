using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;

namespace MASQuant.Bench;

/// <summary>Guesses of a model's own head, of published shapes of Qwen3.5, whole decoders of random weights: tokens that come with guesses which all come true, beside a step each. Where guesses come true in a share p of the steps, one guess gains (1 + p) / 2 of its row.</summary>
internal static class GuessRatios
{
    private const int Vocabulary = 248_320;

    public static IReadOnlyList<Ratio> All() =>
    [
        .. Of("0.8B, head at 8 bits", StateRatios.States(1024, 8, 2, 3584, 16, layers: 24), codes: true),
        .. Of("0.8B, head in BF16", StateRatios.States(1024, 8, 2, 3584, 16, layers: 24), codes: false),
        .. Of("4B, head at 8 bits", StateRatios.States(2560, 16, 4, 9216, 32, layers: 32), codes: true),
    ];

    private static Ratio[] Of(string name, DecoderDescription description, bool codes)
    {
        var workload = new Workload(description, codes);
        return
        [
            .. new[] { 1, 2, 3 }.Select(guesses => new Ratio($"W4A8 {name}, {guesses} {(guesses == 1 ? "guess that comes" : "guesses that come")} true, against a step each", 1 + guesses, () => workload.Guessed(guesses), 1, () => workload.Step(1), "tokens/s", 1)),
            new Ratio($"W4A8 {name}, what keeps up and guesses nothing", 1, () => workload.KeptUp(), 1, () => workload.Step(1), "tokens/s", 0.9),
        ];
    }

    private sealed class Workload
    {
        private readonly Decoder _decoder;
        private readonly GuessHead _head;
        private readonly DecoderWorkspace _workspace;
        private readonly RotaryTable _rotary;
        private readonly KvCache _cache;
        private readonly LayerMemory _memory = new();
        private readonly Matrix _input;
        private readonly Matrix _last;

        public Workload(DecoderDescription description, bool codes)
        {
            var (random, pool, hidden) = (new Random(1), new PreparedTokensPool(), description.Config.HiddenSize);
            (_workspace, _rotary, _cache) = (new DecoderWorkspace(description.Config with { VocabularySize = Vocabulary }), new RotaryTable(description.Rotary), new KvCache(description.Config));
            ILinearGroup Codes(QuantizationScheme scheme, int outputs, int inputs) => new CodedLinearGroup([QuantizedWorkload.RandomWeight(random, scheme, outputs, inputs)], InputTransform.None, new CpuGemmBackend(), pool);
            Norm Gain(NormDescription norm) => new(norm, QuantizedWorkload.RandomMatrix(random, 1, norm.Size).Data, []);
            var head = codes ? Codes(QuantizationScheme.W8A8, Vocabulary, hidden) : new DenseLinearGroup((DenseWeight.FromBFloat16(new byte[(long)Vocabulary * hidden * sizeof(ushort)], Vocabulary, hidden), []));
            _decoder = new Decoder(description, null!, [.. description.Blocks.Select(block => DecodingWorkload.Block(block, QuantizationScheme.W4A8, random, pool))], Gain(description.FinalNorm), head);
            var own = description.GuessHead!;
            _head = new GuessHead(Gain(own.EmbeddingNorm), Gain(own.HiddenNorm), Codes(QuantizationScheme.W8A8, hidden, 2 * hidden), DecodingWorkload.Block(own.Block, QuantizationScheme.W8A8, random, pool), Gain(own.FinalNorm), Codes(QuantizationScheme.W4A8, Vocabulary, hidden));
            _input = QuantizedWorkload.RandomMatrix(random, DecodingWorkload.PromptTokens, hidden);
            _last = new Matrix(1, hidden);
            Positions(0, _input.Rows);
            _decoder.Forward(_input.Copy(), ModalityMap.Text(_input.Rows), _rotary, _workspace, _cache);
            Row(_input.Rows, guesses: false);
        }

        /// <summary>A pass over so many tokens, with their logits.</summary>
        public void Step(int tokens)
        {
            var (hidden, logits) = (_workspace.Hidden(tokens), _workspace.Logits(tokens));
            _input.Span[..hidden.Span.Length].CopyTo(hidden.Span);
            Positions(DecodingWorkload.PromptTokens, tokens);
            _cache.KeepsPasses = tokens > 1;
            _decoder.Forward(hidden, ModalityMap.Text(tokens), _rotary, _workspace, _cache);
            _decoder.Logits(hidden, _workspace, logits);
            _cache.Truncate(DecodingWorkload.PromptTokens);
        }

        /// <summary>What waits of the pass before, so many guesses, and the pass over a token and these.</summary>
        public void Guessed(int guesses)
        {
            for (var guess = 0; guess < guesses; guess++)
            {
                Row(guess == 0 ? 1 + guesses : 1, guesses: true);
            }

            _memory.Truncate(DecodingWorkload.PromptTokens);
            Step(1 + guesses);
        }

        /// <summary>A step whose token enters the head's block, which guesses nothing.</summary>
        public void KeptUp()
        {
            Row(1, guesses: false);
            _memory.Truncate(DecodingWorkload.PromptTokens);
            Step(1);
        }

        private void Row(int rows, bool guesses)
        {
            var (input, stream) = (_input.Top(rows), new Matrix(rows, _input.Columns));
            Positions(_memory.Length, rows);
            _head.Forward(input, input, new Matrix(rows, 2 * _input.Columns), stream, _rotary, _workspace, _memory);
            if (guesses)
            {
                _head.Logits(stream.Row(rows - 1), _last, _workspace).IndexOf(float.MaxValue);
            }
        }

        private void Positions(int first, int count) => _rotary.Set([.. Enumerable.Range(first, count)]);
    }
}
