namespace MASQuant.Quantization.Options;

/// <summary>Named presets of <see cref="QuantizationOptions"/>, so that one table compares methods.</summary>
public static class QuantizationMethod
{
    private const string Custom = "Custom";

    private static readonly (string Name, Func<QuantizationOptions, QuantizationOptions> Preset)[] Presets =
    [
        ("MASQuant", o => Copy(new QuantizationOptions(), o)),
        ("Paper", o => Copy(Plain with { Epochs = 2, Rank = 16, DeviatingChannels = -1, WeightQuantizer = WeightQuantizerKind.Rtn, Clipping = ClippingKind.None, Compensation = CompensationKind.Weight, CompensateDown = false, ModalityWeights = [1, 0.5, 1] }, o)),
        ("MAS", o => Copy(Plain with { Epochs = 2, DeviatingChannels = -1, WeightQuantizer = WeightQuantizerKind.Rtn, Clipping = ClippingKind.None, Compensation = CompensationKind.None, Rank = 0 }, o)),
        ("UniformRotated", o => Copy(Uniform with { Rotation = RotationKind.All }, o)),
        ("Uniform", o => Copy(Uniform, o)),
        ("SmoothQuant", o => Copy(Plain with { Smoothing = SmoothingKind.Uniform, WeightQuantizer = WeightQuantizerKind.Rtn, Clipping = ClippingKind.None, Compensation = CompensationKind.None, Rank = 0, CompensateDown = false }, o)),
        ("RTN", o => Copy(Plain with { Smoothing = SmoothingKind.None, WeightQuantizer = WeightQuantizerKind.Rtn, Clipping = ClippingKind.None, Compensation = CompensationKind.None, Rank = 0 }, o)),
    ];

    // Without what others do not have: a first block of 8 bits, a rotation, and activations that are clipped.
    private static QuantizationOptions Plain => new() { Epochs = 0, Alternations = 0, FirstBlock = FirstBlockKind.Scheme, Rotation = RotationKind.None, ActivationClipping = false };

    // The tools that MASQuant has, on one factor for all modalities and without patches: what a method has to beat.
    private static QuantizationOptions Uniform => Plain with { Smoothing = SmoothingKind.Uniform, Compensation = CompensationKind.None, Rank = 0 };

    /// <summary>The presets' names; the first is the default.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Presets.Select(p => p.Name), Custom];

    internal static QuantizationOptions? TryApply(string name, QuantizationOptions options)
    {
        if (string.Equals(name, Custom, StringComparison.OrdinalIgnoreCase))
        {
            return options;
        }

        var preset = Array.Find(Presets, p => string.Equals(p.Name, name, StringComparison.OrdinalIgnoreCase));
        return preset.Preset?.Invoke(options);
    }

    /// <summary>The preset whose options these are, or <c>Custom</c>.</summary>
    internal static string NameOf(QuantizationOptions options)
    {
        var normalized = options with { ModalityWeights = [] };
        foreach (var (name, preset) in Presets)
        {
            var candidate = preset(options);
            if (candidate with { ModalityWeights = [] } == normalized && candidate.ModalityWeights.SequenceEqual(options.ModalityWeights))
            {
                return name;
            }
        }

        return Custom;
    }

    // A preset decides the method; schemes, effort, seed, the head that guesses ahead and what is seen of images and videos stay the user's.
    private static QuantizationOptions Copy(QuantizationOptions preset, QuantizationOptions user) => (preset with { Scheme = user.Scheme, LayerSchemes = user.LayerSchemes, Effort = user.Effort, GuessHead = user.GuessHead, Seed = user.Seed }).WithLimitsOf(user);
}
