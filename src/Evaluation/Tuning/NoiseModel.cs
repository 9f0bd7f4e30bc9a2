using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Allocation;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;

namespace MASQuant.Evaluation.Tuning;

/// <summary>Predicts a setting's bytes and noise: the noises of its groups add up, patches take their measured share, and what real quantizations showed corrects the sums. Immutable.</summary>
public sealed record NoiseModel
{
    private const int Modalities = ModalityMap.ModalityCount;

    private readonly ModelNoise _noise;
    private readonly QuantizationOptions _options;
    private readonly (int Layer, InputGroup Group, IReadOnlyList<DecoderLinear> Linears)[] _places;
    private readonly Dictionary<(int Group, QuantizationScheme Scheme), GroupNoise> _groups;
    private NoiseCorrections _corrections = NoiseCorrections.None;
    private double _lossPerNoise = double.NaN;
    private long _otherBytes;

    /// <summary>Predicts from measurements.</summary>
    /// <param name="config">The model.</param>
    /// <param name="noise">The measurements.</param>
    /// <param name="options">What settings leave open.</param>
    /// <param name="otherBytes">What the artifact holds beside quantized layers, about.</param>
    public NoiseModel(ModelConfig config, ModelNoise noise, QuantizationOptions options, long otherBytes)
    {
        (Config, _noise, _options, _otherBytes) = (config, noise, options, otherBytes);
        _places = [.. config.Decoder().Blocks.Index().SelectMany(block => block.Item.Groups.Select(group => (block.Index, group, block.Item.LinearsOf(group))))];
        _groups = noise.Groups.ToDictionary(group => (Array.FindIndex(_places, place => (place.Layer, place.Group) == (group.Layer, group.Group)), group.ParsedScheme));
        Schemes = [.. noise.Groups.Select(group => group.ParsedScheme).Distinct()];
    }

    /// <summary>The model.</summary>
    public ModelConfig Config { get; }

    /// <summary>The schemes that were measured.</summary>
    public IReadOnlyList<QuantizationScheme> Schemes { get; }

    /// <summary>The number of input groups.</summary>
    public int Groups => _places.Length;

    /// <summary>Noise per signal that a group adds to every linear layer and modality, uncorrected, [linear·3 + modality].</summary>
    public double[] Contribution(int group, GroupSetting setting)
    {
        var measured = _groups[(group, setting.Scheme)];
        var result = new double[_noise.Signal.Length * Modalities];
        foreach (var modality in Config.Modalities)
        {
            var share = modality == Modality.Text ? 1 : measured.Remainder(modality, _ => setting.Rank(modality));
            for (var i = 0; i < _noise.Signal.Length; i++)
            {
                var signal = _noise.Signal[i][(int)modality];
                result[(i * Modalities) + (int)modality] = signal > 0 ? share * measured.Noise[i][(int)modality] / signal : 0;
            }
        }

        return result;
    }

    /// <summary>The sum of a setting's contributions.</summary>
    public double[] Uncorrected(ModelSetting setting)
    {
        var sum = new double[_noise.Signal.Length * Modalities];
        for (var g = 0; g < Groups; g++)
        {
            var part = Contribution(g, setting.All[g]);
            for (var i = 0; i < sum.Length; i++)
            {
                sum[i] += part[i];
            }
        }

        return sum;
    }

    /// <summary>The factors that take a sum of contributions to its prediction, place by place.</summary>
    public double[] Corrections(double[] uncorrected) => _corrections.At(uncorrected);

    /// <summary>Noise per signal at every linear layer and modality.</summary>
    public double[] Noise(ModelSetting setting)
    {
        var sum = Uncorrected(setting);
        return [.. sum.Zip(Corrections(sum), (noise, factor) => noise * factor)];
    }

    /// <summary>The lowest SQNR of a modality over all linear layers, in dB.</summary>
    public static double Sqnr(double[] noise, Modality modality)
    {
        var largest = 0.0;
        for (var i = (int)modality; i < noise.Length; i += Modalities)
        {
            largest = Math.Max(largest, noise[i]);
        }

        return Quantization.Numerics.Sqnr.Decibels(1, largest);
    }

    /// <summary>The evaluation loss: a divergence grows with the square of small disturbances, so with the noise. NaN before <see cref="Corrected"/> has seen one.</summary>
    public double Loss(double[] noise) => _lossPerNoise * noise.Sum();

    /// <summary>The bytes that a group's layers take in the artifact.</summary>
    public long Bytes(int group, GroupSetting setting)
        => _places[group].Linears.Sum(linear => PlannedBytes.Of(linear, setting.Scheme, Config.Modalities.Sum(setting.Rank), _options));

    /// <summary>The artifact's bytes.</summary>
    public long Bytes(ModelSetting setting) => _otherBytes + Enumerable.Range(0, Groups).Sum(g => Bytes(g, setting.All[g]));

    /// <summary>The same after a real quantization: at this very setting its predictions are the measurements.</summary>
    /// <param name="setting">What was quantized.</param>
    /// <param name="measured">Its manifest.</param>
    /// <param name="loss">Its evaluation loss, or null.</param>
    public NoiseModel Corrected(ModelSetting setting, Manifest measured, double? loss = null)
    {
        var predicted = Uncorrected(setting);
        var factors = Corrections(predicted);
        foreach (var (index, linear) in measured.Layers.SelectMany(layer => layer.Linears).Index())
        {
            foreach (var modality in Config.Modalities)
            {
                var place = (index * Modalities) + (int)modality;
                if (predicted[place] > 0 && linear.Sqnr.TryGetValue(modality.ToString(), out var sqnr) && double.IsFinite(sqnr.After))
                {
                    factors[place] = Elementary.Pow(10, -sqnr.After / 10) / predicted[place];
                }
            }
        }

        var corrected = this with { _corrections = _corrections.With(predicted, factors), _otherBytes = _otherBytes + measured.ArtifactBytes - Bytes(setting) };
        return corrected with { _lossPerNoise = loss / corrected.Noise(setting).Sum() ?? double.NaN };
    }
}
