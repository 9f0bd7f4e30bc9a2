using System.Globalization;
using System.Text;
using System.Text.Json;
using MASQuant.Engine.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Files;
using MASQuant.Formats.Models;
using MASQuant.Platform;
using MASQuant.Quantization;
using MASQuant.Quantization.Allocation;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Options;

namespace MASQuant.Evaluation.Tuning;

/// <summary>What every input group's noise does to the model: measured at once, or by several machines a share of the blocks each, and kept in the output folder.</summary>
/// <param name="job">What to tune.</param>
/// <param name="progress">Hears how far it is.</param>
internal sealed class TuningMeasurement(TuningJob job, ITuningProgress progress)
{
    private const string FileName = "noise";
    private const string Reused = "Measurements";

    /// <summary>The measurements of all blocks: kept, put together from shares, or made.</summary>
    public ModelNoise Run(Checkpoint checkpoint, ModelConfig config, CancellationToken cancellationToken)
    {
        var key = Key(cancellationToken);
        if (TryFind(config, key) is { } kept)
        {
            progress.Reuse(Reused);
            return kept;
        }

        return Measure(FileName, key, new BlockRange(0, config.Text.Layers - 1), checkpoint, config, cancellationToken);
    }

    /// <summary>The measurements of all blocks, if no share is missing; otherwise measures this one, unless it is there.</summary>
    public ModelNoise? RunShare(Share share, Checkpoint checkpoint, ModelConfig config, CancellationToken cancellationToken)
    {
        var key = Key(cancellationToken);
        if (TryFind(config, key) is { } kept)
        {
            progress.Reuse(Reused);
            return kept;
        }

        var blocks = share.Of(config.Text.Layers);
        if (TryRead(NameOf(share), key) is not null)
        {
            progress.Reuse($"{Reused}, share {share}");
        }
        else
        {
            Measure(NameOf(share), key, new BlockRange(blocks.Start.Value, blocks.End.Value - 1), checkpoint, config, cancellationToken);
        }

        return null;
    }

    private string Key(CancellationToken cancellationToken)
        => $"{QuantizationPipeline.KeyOf(job.Point(job.Combinations[0], job.Output), cancellationToken)} {string.Join('+', job.Schemes)}\n";

    private ModelNoise? TryFind(ModelConfig config, string key)
    {
        var count = config.Decoder().Blocks.Sum(block => block.Groups.Count) * job.Schemes.Count;
        return Candidates(key).FirstOrDefault(noise => noise.Groups.Count == count);
    }

    // The whole, then what shares of any number there are give together.
    private IEnumerable<ModelNoise> Candidates(string key)
    {
        if (TryRead(FileName, key) is { } whole)
        {
            yield return whole;
        }

        foreach (var count in Directory.Exists(job.Output) ? FileSystem.Current.Files(job.Output, NameOf("0", "*")).Select(file => file.Name[(file.Name.LastIndexOf('-') + 1)..]).Order(StringComparer.Ordinal).ToArray() : [])
        {
            ModelNoise?[] shares = Share.TryParse($"0/{count}", out var first) ? [.. Enumerable.Range(0, first.Count).Select(i => TryRead(NameOf(first with { Index = i }), key))] : [null];
            if (shares.All(share => share is not null))
            {
                yield return new ModelNoise(shares[0]!.Signal, [.. shares.SelectMany(share => share!.Groups)]);
            }
        }
    }

    private static string NameOf(Share share) => NameOf(share.Index.ToString(CultureInfo.InvariantCulture), share.Count.ToString(CultureInfo.InvariantCulture));

    private static string NameOf(string index, string count) => $"{FileName}-{index}-of-{count}";

    private ModelNoise Measure(string name, string key, BlockRange blocks, Checkpoint checkpoint, ModelConfig config, CancellationToken cancellationToken)
    {
        progress.Begin("Measuring what every input group's noise does to the model" + (name == FileName ? "" : blocks.First > blocks.Last ? ", none of the blocks" : $", blocks {blocks}"));
        var set = CalibrationSet.Load(job.Calibration, config, cancellationToken);
        var sequences = CalibrationSequences.Embed(checkpoint, config, job.Subset is { } subset ? set.Take(subset, config) : set, job.Combinations[0].Budget, cancellationToken);
        var decoder = config.Decoder();
        using var compute = ComputeAssembly.Open(job.Combinations[0].Compute, job.ComputeAssembly);
        var noise = new NoiseMeasurement(decoder, job.Combinations[0], (_, _) => job.Schemes, compute)
            .Run(blocks, layer => BlockWeights.Of(checkpoint, decoder, layer), sequences, progress.Measured, cancellationToken);
        AtomicFile.Write(Path.Combine(job.Output, name), (byte[])[.. Encoding.ASCII.GetBytes(key), .. JsonSerializer.SerializeToUtf8Bytes(noise, NoiseJson.Default.ModelNoise)]);
        progress.Finish();
        return noise;
    }

    private ModelNoise? TryRead(string name, string key)
    {
        var file = Path.Combine(job.Output, name);
        return File.Exists(file) && FileSystem.Current.ReadAllBytes(file) is var content && content.AsSpan().StartsWith(Encoding.ASCII.GetBytes(key)) ? ModelNoise.TryParse(content.AsSpan(key.Length)) : null; // Damaged: measured again.
    }
}
