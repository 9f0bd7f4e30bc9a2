using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models.Qwen35;

/// <summary>Reads which layers carry a state, and its extents.</summary>
internal static class Qwen35LinearAttention
{
    public const string LinearLayer = "linear_attention";
    public const string FullLayer = "full_attention";

    private const int MaxHeadWidth = 1 << 10;
    private const int MaxConvolution = 16;
    private const int FullInterval = 4;

    /// <summary>Reads <c>text_config</c>; defaults of Qwen3_5TextConfig.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value.</exception>
    public static LinearAttentionConfig Read(ConfigSection section, TextConfig text)
    {
        var linear = new LinearAttentionConfig
        {
            Layers = Layers(section, text.Layers),
            KeyHeads = section.Whole("linear_num_key_heads", 1, ConfigLimits.Heads, 16),
            ValueHeads = section.Whole("linear_num_value_heads", 1, ConfigLimits.Heads, 32),
            KeySize = section.Whole("linear_key_head_dim", 1, MaxHeadWidth, 128),
            ValueSize = section.Whole("linear_value_head_dim", 1, MaxHeadWidth, 128),
            ConvolutionWidth = section.Whole("linear_conv_kernel_dim", 1, MaxConvolution, 4),
        };
        if (linear.ValueHeads % linear.KeyHeads != 0)
        {
            throw section.Unsupported("linear_num_key_heads", $"is {linear.KeyHeads}; it must divide linear_num_value_heads {linear.ValueHeads}");
        }

        if (linear.ValueSize % DeltaRuleStep.ValueBlock != 0)
        {
            throw section.Unsupported("linear_value_head_dim", $"is {linear.ValueSize}; it must be a multiple of {DeltaRuleStep.ValueBlock}");
        }

        return linear;
    }

    // By name, or every fourth attends to all tokens.
    private static int[] Layers(ConfigSection section, int count)
    {
        var interval = section.Whole("full_attention_interval", 1, ConfigLimits.Layers, FullInterval);
        if (section.Texts("layer_types") is not { } types)
        {
            return [.. Enumerable.Range(0, count).Where(layer => (layer + 1) % interval != 0)];
        }

        return types.Length == count
            ? [.. types.Index().Where(type => type.Item == LinearLayer).Select(type => type.Index)]
            : throw section.Unsupported("layer_types", $"has {types.Length} entries; num_hidden_layers is {count}");
    }
}
