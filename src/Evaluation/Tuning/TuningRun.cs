using System.Text.Json;
using MASQuant.Engine.Models;
using MASQuant.Evaluation.Budgets;
using MASQuant.Evaluation.Reports;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Files;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization;
using MASQuant.Quantization.Allocation;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Planning;

namespace MASQuant.Evaluation.Tuning;

/// <summary>Measures, searches and has settings quantized; whatever is finished is kept in the output folder, so that the same job resumes.</summary>
/// <param name="job">What to tune.</param>
/// <param name="progress">Hears how far it is.</param>
/// <param name="bring">Brings the artifacts.</param>
public sealed class TuningRun(TuningJob job, ITuningProgress progress, PointDelivery bring)
{
    /// <summary>Where a measured point's artifact lies.</summary>
    public Dictionary<(ModelSetting Setting, int Combination), string> Artifacts { get; } = [];

    /// <summary>Runs to the end.</summary>
    /// <exception cref="MASQuantException">Bad input, with its code, file and remedy.</exception>
    public TuningSearch Run(CancellationToken cancellationToken)
    {
        using var checkpoint = Checkpoint.Open(job.Model);
        var config = ModelConfigReader.Read(checkpoint);
        var decoder = config.Decoder();
        foreach (var (scheme, prefix, linear) in job.Schemes.SelectMany(scheme => decoder.Blocks.SelectMany(block => block.Linears.Select(linear => (scheme, block.Prefix, linear)))))
        {
            PackingLayout.CheckShape($"{prefix}{linear.Name}", linear.Outputs, linear.Inputs, scheme);
        }

        // The headers and the manifest are guessed; the first point corrects that.
        var plan = QuantizationPlan.Of(checkpoint, config, job.Combinations[0], CalibrationExtent.Typical);
        var model = new NoiseModel(config, Measure(checkpoint, config, cancellationToken), job.Combinations[0], plan.OtherBytes);
        var search = new TuningSearch(model, job.Budgets, job.Combinations.Count);
        search.Run(job.Points, point => Quantize(point, config, cancellationToken));
        return search;
    }

    private ModelNoise Measure(Checkpoint checkpoint, ModelConfig config, CancellationToken cancellationToken)
    {
        var file = Path.Combine(job.Output, "noise");
        var key = $"{QuantizationPipeline.KeyOf(job.Point(job.Combinations[0], job.Output), cancellationToken)} {string.Join('+', job.Schemes)}\n";
        if (TryRead(file, key) is { } kept && kept.Groups.Count == config.Decoder().Blocks.Sum(block => block.Groups.Count) * job.Schemes.Count)
        {
            progress.Reuse("Measurements");
            return kept;
        }

        progress.Begin("Measuring what every input group's noise does to the model");
        var set = CalibrationSet.Load(job.Calibration, config, cancellationToken);
        var sequences = CalibrationSequences.Embed(checkpoint, config, job.Subset is { } subset ? set.Take(subset, config) : set, new ImageBudget { MinPixels = job.Combinations[0].MinPixels, MaxPixels = job.Combinations[0].MaxPixels }, cancellationToken);
        var decoder = config.Decoder();
        var noise = new NoiseMeasurement(decoder, job.Combinations[0], (_, _) => job.Schemes)
            .Run(layer => BlockWeights.Of(checkpoint, decoder, layer), sequences, progress.Measured, cancellationToken);
        AtomicFile.Write(file, (byte[])[.. System.Text.Encoding.ASCII.GetBytes(key), .. JsonSerializer.SerializeToUtf8Bytes(noise, NoiseJson.Default.ModelNoise)]);
        progress.Finish();
        return noise;
    }

    private static ModelNoise? TryRead(string file, string key)
    {
        if (!File.Exists(file) || File.ReadAllBytes(file) is not { } content || !content.AsSpan().StartsWith(System.Text.Encoding.ASCII.GetBytes(key)))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(content.AsSpan(key.Length), NoiseJson.Default.ModelNoise);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null; // Damaged; measured again.
        }
    }

    private (Manifest Manifest, double? Loss) Quantize(TuningPoint point, ModelConfig config, CancellationToken cancellationToken)
    {
        var options = job.OptionsOf(point, config.Modalities);
        var key = QuantizationPipeline.KeyOf(job.Point(options, job.Output), cancellationToken);
        var folder = Path.Combine(job.Output, "points", key[..12]);
        var artifact = Path.Combine(folder, job.Name + ModelFiles.ArtifactSuffix);
        Artifacts[point.Key] = artifact;
        bring($"Point {Artifacts.Count}, {Figures.Bytes(point.Bytes)}", job.Point(options, folder), key);
        double? loss = job.Budgets.Wanted.MaxEvaluationLoss is null ? null : EvaluationLoss.Measure(job.Model, artifact, job.Evaluation!, cancellationToken: cancellationToken).KullbackLeibler;
        return (ManifestFile.Read(Path.ChangeExtension(artifact, ".json")), loss);
    }
}
