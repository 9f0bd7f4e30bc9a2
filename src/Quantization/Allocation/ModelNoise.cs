using System.Text.Json;
using System.Text.Json.Serialization;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Compensation;

namespace MASQuant.Quantization.Allocation;

/// <summary>What quantizing a single input group costs every linear layer of the model from there on, group by group and scheme by scheme: measured on calibration data, all else in full precision, without patches.</summary>
/// <param name="Signal">‖Y‖² of every linear layer's output, [linear][modality]; linears are numbered block after block in the order of <see cref="BlockDescription.Linears"/>.</param>
/// <param name="Groups">One entry per group and scheme, in order.</param>
public sealed record ModelNoise(double[][] Signal, IReadOnlyList<GroupNoise> Groups)
{
    /// <summary>Reads measurements that were kept; null where the text is damaged, or its parts do not fit each other.</summary>
    public static ModelNoise? TryParse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, NoiseJson.Default.ModelNoise) is { IsWhole: true } noise ? noise : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private bool IsWhole => IsTable(Signal) && Groups.All(group => group is not null && group.Noise.Length == Signal.Length && IsTable(group.Noise) && Enum.IsDefined(group.Group)
        && QuantizationScheme.TryParse(group.Scheme, out _) && group.Patches.All(patch => patch is not null && Enum.IsDefined(patch.Modality) && double.IsFinite(patch.Energy) && patch.Squares.All(double.IsFinite)));

    private static bool IsTable(double[][] rows) => rows.All(row => row is { Length: ModalityMap.ModalityCount } && row.All(double.IsFinite));

    /// <summary>Σ over linears of noise per signal at a modality's tokens: how much of the model's precision a group at this scheme takes.</summary>
    public double Cost(GroupNoise group, Modality modality)
    {
        var sum = 0.0;
        for (var i = 0; i < Signal.Length; i++)
        {
            sum += Signal[i][(int)modality] > 0 ? group.Noise[i][(int)modality] / Signal[i][(int)modality] : 0;
        }

        return sum;
    }
}

/// <summary>One input group quantized alone.</summary>
/// <param name="Layer">Its block.</param>
/// <param name="Group">The group.</param>
/// <param name="Scheme">The scheme's name.</param>
/// <param name="Noise">‖Y − Ŷ‖², [linear][modality], in the order of <see cref="ModelNoise.Signal"/>.</param>
/// <param name="Patches">What patches of its own layers could take away.</param>
public sealed record GroupNoise(int Layer, InputGroup Group, string Scheme, double[][] Noise, IReadOnlyList<PatchGain> Patches)
{
    /// <summary>The scheme.</summary>
    [JsonIgnore]
    public QuantizationScheme ParsedScheme => QuantizationScheme.TryParse(Scheme, out var scheme) ? scheme : throw new FormatException($"'{Scheme}' is no scheme.");

    /// <summary>The share of its own noise that patches of the given ranks leave at a modality's tokens, 0…1.</summary>
    public double Remainder(Modality modality, Func<PatchGain, int> rank)
    {
        double energy = 0, captured = 0;
        foreach (var patch in Patches)
        {
            if (patch.Modality == modality)
            {
                energy += patch.Energy;
                captured += patch.Captured(rank(patch));
            }
        }

        return energy > 0 ? Math.Clamp(1 - (captured / energy), 0, 1) : 1;
    }
}

/// <summary>Keeps measurements between runs.</summary>
[JsonSerializable(typeof(ModelNoise))]
[JsonSourceGenerationOptions(UseStringEnumConverter = true, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
public sealed partial class NoiseJson : JsonSerializerContext;
