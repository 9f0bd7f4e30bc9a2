using MASQuant.Evaluation.Budgets;
using MASQuant.Evaluation.Reports;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization;
using MASQuant.Quantization.Allocation;
using MASQuant.Quantization.Options;
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
        var config = Check(checkpoint);
        var search = Search(checkpoint, config, new TuningMeasurement(job, progress).Run(checkpoint, config, cancellationToken));
        search.Run(job.Points, point => Quantize(point, config, cancellationToken));
        return search;
    }

    /// <summary>Does one machine's share of what can be done apart: measures its share of the blocks or, once all are measured, quantizes the first setting with its share of the combinations.</summary>
    /// <returns>Whether all blocks were measured.</returns>
    /// <exception cref="MASQuantException">Bad input, with its code, file and remedy.</exception>
    public bool RunShare(Share share, CancellationToken cancellationToken)
    {
        using var checkpoint = Checkpoint.Open(job.Model);
        var config = Check(checkpoint);
        if (new TuningMeasurement(job, progress).RunShare(share, checkpoint, config, cancellationToken) is not { } noise)
        {
            return false;
        }

        var points = Search(checkpoint, config, noise).First(job.Points);
        foreach (var point in points.ToArray()[share.Of(points.Count)])
        {
            Bring(point, config, cancellationToken);
        }

        return true;
    }

    private ModelConfig Check(Checkpoint checkpoint)
    {
        var config = ModelConfigReader.Read(checkpoint);
        foreach (var (scheme, prefix, linear) in job.Schemes.SelectMany(scheme => config.Decoder().Blocks.SelectMany(block => block.Linears.Select(linear => (scheme, block.Prefix, linear)))))
        {
            PackingLayout.CheckShape($"{prefix}{linear.Name}", linear.Outputs, linear.Inputs, scheme);
        }

        return config;
    }

    private TuningSearch Search(Checkpoint checkpoint, ModelConfig config, ModelNoise noise)
    {
        // The headers and the manifest are guessed; the first point corrects that.
        var plan = QuantizationPlan.Of(checkpoint, config, job.Combinations[0], CalibrationExtent.Typical(config));
        return new TuningSearch(new NoiseModel(config, noise, job.Combinations[0], plan.OtherBytes), job.Budgets, job.Combinations.Count);
    }

    private (Manifest Manifest, double? Loss) Quantize(TuningPoint point, ModelConfig config, CancellationToken cancellationToken)
    {
        var artifact = Bring(point, config, cancellationToken);
        double? loss = job.Budgets.Wanted.MaxEvaluationLoss is null ? null : EvaluationLoss.Measure(job.Model, artifact, job.Evaluation!, cancellationToken: cancellationToken).KullbackLeibler;
        return (ManifestFile.Read(Path.ChangeExtension(artifact, ".json")), loss);
    }

    private string Bring(TuningPoint point, ModelConfig config, CancellationToken cancellationToken)
    {
        var options = job.OptionsOf(point, config.Modalities);
        var key = QuantizationPipeline.KeyOf(job.Point(options, job.Output), cancellationToken);
        var folder = Path.Combine(job.Output, "points", key[..12]);
        var artifact = Path.Combine(folder, job.Name + ModelFiles.ArtifactSuffix);
        Artifacts[point.Key] = artifact;
        bring($"Point {Artifacts.Count}, {Figures.Bytes(point.Bytes)}", job.Point(options, folder), key);
        return artifact;
    }
}
