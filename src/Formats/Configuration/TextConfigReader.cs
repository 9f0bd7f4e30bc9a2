namespace MASQuant.Formats.Configuration;

/// <summary>Reads the extents of a decoder with multimodal rotary positions out of <c>config.json</c>.</summary>
public static class TextConfigReader
{
    private const int MaxVocabulary = 1 << 24;
    private const int MaxPositions = 1 << 24;
    private const string TieKey = "tie_word_embeddings";
    private const string RotatedShareKey = "partial_rotary_factor";

    /// <summary>Reads <paramref name="section"/>; <paramref name="parent"/> says whether the head is tied where the section does not.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value.</exception>
    public static TextConfig Read(ConfigSection section, ConfigSection parent, TextDefaults defaults)
    {
        var rope = section.Section("rope_scaling") ?? section.Section("rope_parameters");
        var maxPositions = section.Whole("max_position_embeddings", 1, MaxPositions, defaults.MaxPositions);
        var tied = parent.Flag(TieKey, false);
        var headSize = defaults.HeadSize is { } size ? section.Whole("head_dim", 1, ConfigLimits.Width, size) : 0;
        var text = new TextConfig
        {
            HiddenSize = section.Whole("hidden_size", 1, ConfigLimits.Width, defaults.HiddenSize),
            Layers = section.Whole("num_hidden_layers", 1, ConfigLimits.Layers, defaults.Layers),
            IntermediateSize = section.Whole("intermediate_size", 1, ConfigLimits.Width, defaults.IntermediateSize),
            AttentionHeads = section.Whole("num_attention_heads", 1, ConfigLimits.Heads, defaults.AttentionHeads),
            KeyValueHeads = section.Whole("num_key_value_heads", 1, ConfigLimits.Heads, defaults.KeyValueHeads),
            HeadSize = headSize,
            RotatedSize = defaults.RotatedShare is { } share ? RotatedSize(section, rope, headSize, share) : 0,
            VocabularySize = section.Whole("vocab_size", 1, MaxVocabulary, defaults.VocabularySize),
            RmsNormEpsilon = (float)section.Number("rms_norm_eps", 1e-12, 1, defaults.RmsNormEpsilon),
            RopeTheta = (float)section.Number("rope_theta", 1, 1e12, rope?.Number("rope_theta", 1, 1e12, defaults.RopeTheta) ?? defaults.RopeTheta),
            MropeSections = rope?.Wholes("mrope_section", 0, ConfigLimits.Width) ?? defaults.MropeSections,
            TieWordEmbeddings = section.Flag(TieKey, tied),
            IsTieContradicted = section.Has(TieKey) && parent.Has(TieKey) && section.Flag(TieKey, tied) != tied,
            MaxPositions = maxPositions,
            Yarn = rope is { } scaled && RopeType(rope) == "yarn" ? YarnScaling.Read(scaled, maxPositions) : null,
        };
        Check(section, rope, text, defaults);
        return text;
    }

    private static int RotatedSize(ConfigSection section, ConfigSection? rope, int headSize, double share)
    {
        share = RotatedShare(section, rope, share);
        return (int)(headSize * share) is var rotated && rotated > 0 && rotated % 2 == 0
            ? rotated
            : throw section.Unsupported(RotatedShareKey, FormattableString.Invariant($"is {share}; of the {headSize} values of a head it must rotate an even number above 0"));
    }

    // Among the rotary parameters, or where older files have it.
    private static double RotatedShare(ConfigSection section, ConfigSection? rope, double share)
        => rope?.Number(RotatedShareKey, 0, 1, share) is { } given && rope.Value.Has(RotatedShareKey) ? given : section.Number(RotatedShareKey, 0, 1, share);

    private static string? RopeType(ConfigSection? rope) => rope?.Text("rope_type") ?? rope?.Text("type");

    private static void Check(ConfigSection section, ConfigSection? rope, TextConfig text, TextDefaults defaults)
    {
        if (defaults.HeadSize is not null && text.HeadSize % 2 != 0)
        {
            throw section.Unsupported("head_dim", $"is {text.HeadSize}; heads are rotated in pairs of values");
        }

        if (defaults.HeadSize is null && (text.HiddenSize % text.AttentionHeads != 0 || text.HeadSize % 2 != 0))
        {
            throw section.Unsupported("num_attention_heads", $"is {text.AttentionHeads}; it must divide hidden_size {text.HiddenSize} into heads of even width");
        }

        if (section.Whole("head_dim", 1, ConfigLimits.Width, text.HeadSize) != text.HeadSize)
        {
            throw section.Unsupported("head_dim", $"differs from hidden_size / num_attention_heads = {text.HeadSize}");
        }

        if (text.AttentionHeads % text.KeyValueHeads != 0)
        {
            throw section.Unsupported("num_key_value_heads", $"is {text.KeyValueHeads}; it must divide num_attention_heads {text.AttentionHeads}");
        }

        if (text.MropeSections.Count != 3 || text.MropeSections.Sum(width => (long)width) * 2 != text.RotatedSize)
        {
            throw section.Unsupported("mrope_section", $"is [{string.Join(", ", text.MropeSections)}]; it must hold three numbers whose sum is half of the {text.RotatedSize} values of a head that are rotated");
        }

        if ((float?)rope?.Number("rope_theta", 1, 1e12, text.RopeTheta) is { } theta && theta != text.RopeTheta)
        {
            throw section.Unsupported("rope_theta", FormattableString.Invariant($"is {text.RopeTheta}, and {theta} among the rotary parameters; take out the wrong one"));
        }

        if (section.Section("rope_scaling") is not null && section.Section("rope_parameters") is not null)
        {
            throw section.Unsupported("rope_parameters", "stands beside rope_scaling, its older name; take out the wrong one");
        }

        if (RopeType(rope) is not (null or "default" or "mrope" or "yarn") and var type)
        {
            throw section.Unsupported("rope_scaling", $"is of type '{type}'; 'default', 'mrope' and 'yarn' are supported");
        }

        if (defaults.RotatedShare is null)
        {
            rope?.RequireNumber(RotatedShareKey, 1);
        }

        if (section.Texts("layer_types")?.FirstOrDefault(kind => !defaults.LayerTypes.Contains(kind)) is { } other)
        {
            throw section.Unsupported("layer_types", $"has '{other}'; supported: {string.Join(", ", defaults.LayerTypes)}");
        }

        rope?.RequireFlag("mrope_interleaved", defaults.InterleavesMrope);
        if (section.Flag("use_sliding_window", false))
        {
            throw section.Unsupported("use_sliding_window", "is true; only full attention is supported");
        }

        section.RequireText("hidden_act", "silu");
    }
}
