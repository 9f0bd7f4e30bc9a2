using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen35;
using MASQuant.Formats.Models.Qwen3VL;

namespace MASQuant.Bench;

/// <summary>Layers that carry a state beside those that attend, of published shapes, per weight; and the two ways to compute a state.</summary>
internal static class StateRatios
{
    private const int Blocks = 4;
    private const int Chunk = 64;

    public static IReadOnlyList<Ratio> All() =>
    [
        .. Beside("0.8B beside Qwen3-VL-2B", States(1024, 8, 2, 3584, 16), Attention(2048, 16, 8, 6144), hold: 0.6),
        .. Beside("4B beside Qwen3-VL-4B", States(2560, 16, 4, 9216, 32), Attention(2560, 32, 8, 9728), hold: 0.8),
        OneAfterTheOther(heads: 16), OneAfterTheOther(heads: 32),
    ];

    private static Ratio[] Beside(string name, DecoderDescription states, DecoderDescription attention, double hold)
    {
        var (own, other) = (new DecodingWorkload(QuantizationScheme.W4A8, 1, states), new DecodingWorkload(QuantizationScheme.W4A8, 1, attention));
        double prefill = 2e-9 * DecodingWorkload.PromptTokens, decode = 0.5e-9; // operations of a weight, and bytes
        return
        [
            new Ratio($"W4A8 {name}, {DecodingWorkload.PromptTokens} tokens of a prompt", prefill * Weights(states), own.Prefill, prefill * Weights(attention), other.Prefill, "GOP/s", hold),
            new Ratio($"W4A8 {name}, a token", decode * Weights(states), own.Apart, decode * Weights(attention), other.Apart, "GB/s", 0.8),
        ];
    }

    // Token after token, as it is computed, against the chunked form's products alone: k·S, q·S, kᵀu, and of all pairs k·k, q·k and both times u.
    private static Ratio OneAfterTheOther(int heads)
    {
        var step = new DeltaRuleStep(16, heads, 128, 128, "A", "offset");
        var random = new Random(1);
        var (x, a, b) = (QuantizedWorkload.RandomMatrix(random, DecodingWorkload.PromptTokens, (32 * 128) + (heads * 128)), QuantizedWorkload.RandomMatrix(random, DecodingWorkload.PromptTokens, heads), QuantizedWorkload.RandomMatrix(random, DecodingWorkload.PromptTokens, heads));
        var (gates, recurrence, memory, output) = (new DeltaGates(new float[heads], new float[heads]), new Recurrence(), new LayerMemory(), new Matrix(x.Rows, heads * 128));
        var (rows, state) = (QuantizedWorkload.RandomMatrix(random, Chunk, 128), QuantizedWorkload.RandomMatrix(random, 128, 128));
        var results = Enumerable.Range(0, heads).Select(_ => (Rows: new Matrix(Chunk, 128), Pairs: new Matrix(Chunk, Chunk), State: new Matrix(128, 128))).ToArray();
        return new Ratio(
            $"the delta rule of {heads} heads, {x.Rows} tokens one after the other, against the chunked form's products alone",
            1e-9 * x.Rows, () =>
            {
                recurrence.Begin([memory]);
                recurrence.ApplyDeltaRule(step, gates, a, b, x, output);
            },
            1e-9 * x.Rows, () => Workers.For(heads, head =>
            {
                var (taken, pairs, next) = results[head];
                for (var chunk = 0; chunk < x.Rows / Chunk; chunk++)
                {
                    for (var i = 0; i < 2; i++)
                    {
                        FloatGemm.Multiply(rows, false, state, false, taken);
                        FloatGemm.Multiply(rows, false, rows, true, pairs);
                        FloatGemm.Multiply(pairs, false, rows, false, taken);
                    }

                    FloatGemm.Multiply(rows, true, rows, false, next);
                }
            }), "Gtokens/s", 0.35);
    }

    private static double Weights(DecoderDescription decoder) => decoder.Blocks.SelectMany(block => block.Linears).Sum(linear => (double)linear.Outputs * linear.Inputs);

    /// <summary>A decoder of Qwen3.5's layers.</summary>
    internal static DecoderDescription States(int hidden, int heads, int keyHeads, int inner, int valueHeads, int layers = Blocks) => Qwen35Decoder.Describe(Config(hidden, heads, keyHeads, inner) with
    {
        Layers = layers,
        GuessBlocks = 1,
        HeadSize = 256,
        RotatedSize = 64,
        MropeSections = [11, 11, 10],
        LinearAttention = new LinearAttentionConfig { Layers = [.. Enumerable.Range(0, layers).Where(layer => layer % 4 != 3)], KeyHeads = 16, ValueHeads = valueHeads, KeySize = 128, ValueSize = 128, ConvolutionWidth = 4 },
    });

    private static DecoderDescription Attention(int hidden, int heads, int keyHeads, int inner) => Qwen3VLDecoder.Describe(Config(hidden, heads, keyHeads, inner), deepstack: 0);

    private static TextConfig Config(int hidden, int heads, int keyHeads, int inner) => new()
    {
        HiddenSize = hidden,
        Layers = Blocks,
        AttentionHeads = heads,
        KeyValueHeads = keyHeads,
        HeadSize = 128,
        IntermediateSize = inner,
        VocabularySize = 16,
        MaxPositions = 32768,
        RmsNormEpsilon = 1e-6f,
        RopeTheta = 1e6f,
        MropeSections = [24, 20, 20],
        TieWordEmbeddings = true,
    };
}
