using MASQuant.Formats.Safetensors;

namespace MASQuant.Cli.Tests.Layouts;

/// <summary>Random weights under the names of the hub's checkpoints, their widths small: what BF16, F16 and F32 all hold exactly.</summary>
internal sealed class LayoutWeights
{
    public const int Rows = 1312;
    public const int TokenizerRows = 1280; // The rest is padding, as in the published models.
    private const int Hidden = 256, Queries = 256, Keys = 128, Layers = 3, Inner = 384;
    private const int Vision = 160, VisionInner = 420, Depth = 32;
    private const int Audio = 128, AudioInner = 512, AudioLayers = 4;
    private readonly Random _random;

    private LayoutWeights(int seed) => _random = new(seed);

    public SortedDictionary<string, (int[] Shape, float[] Values)> Tensors { get; } = new(StringComparer.Ordinal);

    public static LayoutWeights VL(bool hasHead)
    {
        var weights = new LayoutWeights(seed: 7);
        weights.AddText(hasHead);
        weights.AddVision(isFused: true);
        return weights;
    }

    public static LayoutWeights Omni()
    {
        var weights = new LayoutWeights(seed: 8);
        weights.AddText(hasHead: true);
        weights.AddVision(isFused: false);
        weights.AddAudio();
        return weights;
    }

    /// <summary>Stand-ins for the parts of Omni that speak, with the element types that they have.</summary>
    public static IEnumerable<TensorPayload> Speech() =>
    [
        TensorPayload.OfBFloat16("talker.model.embed_tokens.weight", new float[8448 * 32], 8448, 32),
        TensorPayload.OfFloats("token2wav.code2wav_bigvgan_model.conv_pre.weight", new float[32 * 80 * 5], 32, 80, 5),
        TensorPayload.OfFloats("token2wav.code2wav_dit_model.rotary_embed.inv_freq", new float[16], 16),
    ];

    public void AddHead(string name) => Matrix(name, Rows, Hidden, 1 / 16f);

    private void AddText(bool hasHead)
    {
        Matrix("model.embed_tokens.weight", Rows, Hidden, 0.15f);
        Array.Clear(Tensors["model.embed_tokens.weight"].Values, TokenizerRows * Hidden, (Rows - TokenizerRows) * Hidden);
        for (var i = 0; i < Layers; i++)
        {
            var (block, attention) = ($"model.layers.{i}.", $"model.layers.{i}.self_attn.");
            Gains(Hidden, block + "input_layernorm", block + "post_attention_layernorm");
            Linear(attention + "q_proj", Queries, Hidden, bias: true);
            Linear(attention + "k_proj", Keys, Hidden, bias: true);
            Linear(attention + "v_proj", Keys, Hidden, bias: true);
            Matrix(attention + "o_proj.weight", Hidden, Queries, 0.4f);
            Linear(block + "mlp.gate_proj", Inner, Hidden, bias: false);
            Linear(block + "mlp.up_proj", Inner, Hidden, bias: false);
            Matrix(block + "mlp.down_proj.weight", Hidden, Inner, 0.4f);
        }

        Gains(Hidden, "model.norm");
        if (hasHead)
        {
            AddHead("lm_head.weight");
        }
    }

    private void AddVision(bool isFused)
    {
        Tensor("visual.patch_embed.proj.weight", 0.03f, Vision, 3, 2, 14, 14);
        for (var i = 0; i < Depth; i++)
        {
            var block = $"visual.blocks.{i}.";
            Gains(Vision, block + "norm1", block + "norm2");
            foreach (var part in isFused ? (string[])["attn.qkv"] : ["attn.q", "attn.k", "attn.v"])
            {
                Linear(block + part, isFused ? 3 * Vision : Vision, Vision, bias: true);
            }

            Linear(block + "attn.proj", Vision, Vision, bias: true);
            Linear(block + "mlp.gate_proj", VisionInner, Vision, bias: true);
            Linear(block + "mlp.up_proj", VisionInner, Vision, bias: true);
            Linear(block + "mlp.down_proj", Vision, VisionInner, bias: true);
        }

        Gains(Vision, "visual.merger.ln_q");
        Linear("visual.merger.mlp.0", 4 * Vision, 4 * Vision, bias: true);
        Linear("visual.merger.mlp.2", Hidden, 4 * Vision, bias: true);
    }

    private void AddAudio()
    {
        Tensor("audio_tower.conv1.weight", 0.05f, Audio, 128, 3);
        Tensor("audio_tower.conv2.weight", 0.05f, Audio, Audio, 3);
        Biases(Audio, "audio_tower.conv1", "audio_tower.conv2", "audio_tower.ln_post");
        for (var i = 0; i < AudioLayers; i++)
        {
            var block = $"audio_tower.layers.{i}.";
            Linear(block + "self_attn.q_proj", Audio, Audio, bias: true);
            Linear(block + "self_attn.k_proj", Audio, Audio, bias: false);
            Linear(block + "self_attn.v_proj", Audio, Audio, bias: true);
            Linear(block + "self_attn.out_proj", Audio, Audio, bias: true);
            Linear(block + "fc1", AudioInner, Audio, bias: true);
            Linear(block + "fc2", Audio, AudioInner, bias: true);
            Gains(Audio, block + "self_attn_layer_norm", block + "final_layer_norm");
            Biases(Audio, block + "self_attn_layer_norm", block + "final_layer_norm");
        }

        Gains(Audio, "audio_tower.ln_post");
        Linear("audio_tower.proj", Hidden, Audio, bias: true);
        Matrix("audio_tower.audio_bos_eos_token.weight", 2, Hidden, 0.1f);
    }

    private void Linear(string name, int outputs, int inputs, bool bias)
    {
        Matrix(name + ".weight", outputs, inputs, 1 / MathF.Sqrt(inputs));
        if (bias)
        {
            Biases(outputs, name);
        }
    }

    private void Gains(int size, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            Tensor(name + ".weight", 0.1f, size);
            var values = Tensors[name + ".weight"].Values;
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = Exact(1 + values[i]);
            }
        }
    }

    private void Biases(int size, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            Tensor(name + ".bias", 0.1f, size);
        }
    }

    private void Matrix(string name, int rows, int columns, float deviation) => Tensor(name, deviation, rows, columns);

    private void Tensor(string name, float deviation, params int[] shape)
    {
        var values = new float[shape.Aggregate(1, (count, extent) => count * extent)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Exact(deviation * (_random.NextSingle() + _random.NextSingle() + _random.NextSingle() + _random.NextSingle() - 2) * MathF.Sqrt(3)); // Four uniform draws have variance 1/3.
        }

        Tensors[name] = (shape, values);
    }

    // A BF16 value below 2^-16 loses bits among F16's subnormal numbers.
    private static float Exact(float value) => MathF.Abs(value) < 1 / 65536f ? 0 : BitConverter.UInt32BitsToSingle((uint)BFloat16.FromSingle(value) << 16);
}
