using System.Globalization;
using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models.Qwen25;

/// <summary>The audio tower of Qwen2.5-Omni (technical report, section 2.2).</summary>
public static class Qwen25AudioTower
{
    // Configurations carry neither.
    private const float NormEpsilon = 1e-5f;
    private const double LongestPeriod = 10000;
    private const int Taps = 3;

    /// <summary>Describes a tower of these extents.</summary>
    public static AudioTowerDescription Describe(AudioConfig config)
    {
        var width = config.ModelSize;
        var steps = Steps(config);
        return new AudioTowerDescription
        {
            Config = config,
            FirstConvolution = Linear("audio_tower.conv1", width, checked(config.MelBins * Taps)),
            SecondConvolution = Linear("audio_tower.conv2", width, checked(width * Taps)),
            LongestPeriod = LongestPeriod,
            Blocks = [.. Enumerable.Range(0, config.Layers).Select(index => new BlockDescription(string.Create(CultureInfo.InvariantCulture, $"audio_tower.layers.{index}."), steps))],
            Exit = new BlockDescription("audio_tower.", [new PoolStep(), new NormalizeStep(Norm("ln_post", config)), Project(Linear("proj", config.OutputSize, width))]),
        };
    }

    private static BlockStep[] Steps(AudioConfig config)
    {
        var (width, inner) = (config.ModelSize, config.FeedForwardSize);
        LinearDescription Attention(string name, BiasPresence bias = BiasPresence.Required) => new("self_attn." + name, width, width, bias);
        return
        [
            new NormalizeStep(Norm("self_attn_layer_norm", config)),
            Project(Attention("q_proj"), Attention("k_proj", BiasPresence.None), Attention("v_proj")),
            new AttendStep(config.Heads, config.Heads, width / config.Heads, AttentionSpan.Window),
            Project(Attention("out_proj")),
            new AddStep(),
            new NormalizeStep(Norm("final_layer_norm", config)),
            Project(Linear("fc1", inner, width)),
            new ActivateStep(),
            Project(Linear("fc2", width, inner)),
            new AddStep(),
        ];
    }

    private static ProjectStep Project(params LinearDescription[] linears) => new(linears);

    private static LinearDescription Linear(string name, int outputs, int inputs) => new(name, outputs, inputs, BiasPresence.Required);

    private static NormDescription Norm(string name, AudioConfig config) => new(name, NormKind.Layer, config.ModelSize, NormEpsilon);
}
