using System.Text.Json;
using MASQuant.Cli.Comparison;
using MASQuant.Engine.Models;
using MASQuant.Evaluation.Budgets;
using MASQuant.Evaluation.Tuning;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Files;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization;
using MASQuant.Quantization.Allocation;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Planning;

namespace MASQuant.Cli.Tuning;

/// <summary>Measures, searches and quantizes; whatever is finished is kept in the output folder, so that the same command resumes.</summary>
/// <param name="job">What to tune.</param>
/// <param name="progress">Shows how far it is.</param>
internal sealed class TuningRun(TuningJob job, TuningReporter progress)
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
        var sequences = CalibrationSequences.Embed(checkpoint, config, job.Subset is { } subset ? set.Take(subset, config) : set, cancellationToken);
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
        catch (JsonException)
        {
            return null; // Damaged; measured again.
        }
    }

    private (Manifest Manifest, double? Loss) Quantize(TuningPoint point, ModelConfig config, CancellationToken cancellationToken)
    {
        var options = job.OptionsOf(point, config.Modalities);
        var key = QuantizationPipeline.KeyOf(job.Point(options, job.Output), cancellationToken);
        var folder = Path.Combine(job.Output, "points", key[..12]);
        var model = new ComparedModel("tuned", [], job.Point(options, folder));
        Artifacts[point.Key] = model.Artifact;
        if (model.IsFinished(key))
        {
            progress.Reuse($"Point {Artifacts.Count}, {Figures.Bytes(point.Bytes)}");
        }
        else
        {
            progress.Begin($"Point {Artifacts.Count}, {Figures.Bytes(point.Bytes)}");
            model.Quantize(key, progress, cancellationToken);
            progress.Finish();
        }

        double? loss = job.Budgets.Wanted.MaxEvaluationLoss is null ? null : EvaluationLoss.Measure(job.Model, model.Artifact, job.Evaluation!, cancellationToken: cancellationToken).KullbackLeibler;
        return (ManifestFile.Read(Path.ChangeExtension(model.Artifact, ".json")), loss);
    }
}
