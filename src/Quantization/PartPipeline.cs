using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Files;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Parts;
using MASQuant.Quantization.Run;

namespace MASQuant.Quantization;

/// <summary>The pipeline on several machines: each quantizes a range of decoder blocks, whose inputs come from the full-precision blocks before it, and keeps it as a part; one joins the parts.</summary>
public static class PartPipeline
{
    /// <summary>Finds what a job is to do, once it is known that it can begin.</summary>
    /// <param name="job">The model; its output folder receives the part.</param>
    /// <param name="choice">The blocks.</param>
    /// <param name="cancellationToken">Obeyed while files are hashed.</param>
    /// <exception cref="MASQuantException">Bad input, with its code, file and remedy.</exception>
    public static PartPlan Plan(QuantizationJob job, BlockChoice choice, CancellationToken cancellationToken)
    {
        var config = QuantizationPipeline.ReadConfig(job);
        var blocks = choice.Of(config.Text.Layers);
        QuantizationPipeline.LoadCalibration(job, config, cancellationToken);
        var hashes = new Dictionary<string, string>();
        var key = ArtifactKey.Of(job, file => hashes[file] = ContentHash.OfFile(file, cancellationToken));
        var checkpoint = ModelInputs.OfCheckpoint(Path.TrimEndingDirectorySeparator(Path.GetFullPath(job.ModelFolder))).ToDictionary(file => Path.GetFileName(file), file => hashes[file]);
        return new PartPlan(job, blocks, config.Text.Layers, key, new SortedDictionary<string, string>(checkpoint, StringComparer.Ordinal));
    }

    /// <summary>Makes a part. An interrupted job resumes at its first unfinished block; equal jobs give equal bytes.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="work">Holds finished blocks until the part is whole; on the disk of the output folder.</param>
    /// <param name="progress">Receives a report for every step, or null.</param>
    /// <param name="cancellationToken">Stops the run within a step; finished blocks are kept.</param>
    /// <exception cref="MASQuantException">Bad input, with its code, file and remedy.</exception>
    public static void Run(PartPlan plan, string work, IProgress<QuantizationProgress>? progress, CancellationToken cancellationToken)
    {
        var job = plan.Job with { WorkFolder = work, Key = plan.Key };
        using var run = BlockRun.Prepare(job, plan.Blocks, progress, cancellationToken);
        var blocks = run.QuantizeBlocks(cancellationToken);
        run.Progress.Report(QuantizationStage.Write, "Writing the part.");
        using var checkpoint = job.OpenCheckpoint();
        run.RequireSameInputs(cancellationToken);
        PartFolder.Finish(plan, work, run.Facts(checkpoint, [.. blocks.Select(block => block.Facts)]), run.PrepareSeconds);
    }

    /// <summary>Makes the artifact, its manifest, facts and times out of parts. Equal parts give equal bytes, whatever their order.</summary>
    /// <param name="model">The checkpoint's folder, for what is not quantized.</param>
    /// <param name="set">The parts.</param>
    /// <param name="output">Receives the files.</param>
    /// <param name="families">The families to recognise; null for the supported ones.</param>
    /// <param name="cancellationToken">Stops between tensors; no partial artifact is left.</param>
    /// <returns>The manifest as written.</returns>
    /// <exception cref="MASQuantException">MASQ0522 another checkpoint, MASQ0523 a part is damaged, MASQ0111 a file cannot be written.</exception>
    public static Manifest Join(string model, PartSet set, string output, ModelFamilies? families, CancellationToken cancellationToken)
    {
        void Require() => set.CheckCheckpoint(model, file => ContentHash.OfFile(file, cancellationToken));
        void Check()
        {
            Require();
            FactsFile.Delete(output, set.Model.Name);
        }

        Require();
        var clock = new StageClock();
        clock.Enter(QuantizationStage.Write);
        using var checkpoint = Checkpoint.Open(model, families);
        var config = ModelConfigReader.Read(checkpoint);
        var decoder = config.Decoder();
        var blocks = set.Parts.SelectMany(part => part.ReadFacts(decoder)).ToArray();
        var facts = Checked(set.Model with
        {
            Parts = set.Parts.Count == 1 ? null : [.. set.Ranges.Select(range => range.ToString())],
            Layers = [.. blocks.Select(block => block.Facts)],
        }, set.Parts[0].Path);
        var manifest = ModelWriter.Write(output, facts, checkpoint, config, OptionTable.Read(set.Model.Options, set.Parts[0].Path), [.. set.Parts.SelectMany(part => part.LayerFiles)], Check, cancellationToken);
        RunTimes[] times = [.. set.Parts.Select(part => part.Times)];
        FactsFile.Write(output, manifest.Name, QuantizationPipeline.RunFactsOf(model, blocks.Select(block => block.Details)),
            new RunTimes { Prepare = times.Sum(part => part.Prepare), Write = clock.Take().Values.Sum(), Blocks = [.. times.SelectMany(part => part.Blocks)] });
        return manifest;
    }

    // Other machines wrote what is in it.
    private static Manifest Checked(Manifest manifest, string source) => ManifestFile.Parse(ManifestFile.Serialize(manifest), source);
}
