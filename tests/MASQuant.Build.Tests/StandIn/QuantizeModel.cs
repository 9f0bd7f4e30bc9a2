extern alias tasks;

using System.Globalization;
using System.Text;
using System.Text.Json;
using MASQuant.Diagnostics;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Safetensors;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Run;


namespace MASQuant.Tasks;

/// <summary>The real task with a pipeline that writes a small artifact at once, the options and the checkpoint's files, or one that stands still where a test wants to kill it.</summary>
public sealed class QuantizeModel : tasks::MASQuant.Tasks.QuantizeModel
{
    private const long LargeBytes = 2_300_000_000; // more than an assembly, or an array, can hold
    private const string Revision = "revision 1"; // a test edits it, in the assembly

    protected override void Run(QuantizationJob job, IProgress<QuantizationProgress> progress, CancellationToken cancellationToken)
    {
        if (StoppingProgress.FromEnvironment() is { } stop)
        {
            base.Run(job, stop, cancellationToken); // in earnest
            return;
        }

        progress.Report(new QuantizationProgress(QuantizationStage.Quantize, 0, 1, null, 0.5, TimeSpan.FromSeconds(1), "layer 1 of 1"));
        Directory.CreateDirectory(job.OutputFolder);
        var artifact = Path.Combine(job.OutputFolder, job.Name + ModelFiles.ArtifactSuffix);
        Write(artifact, Manifest(job, 0) with { Layers = [] }, $"{Revision} {job.Options} {string.Concat(Directory.EnumerateFiles(job.ModelFolder).Order().Select(File.ReadAllText))}");
        Behave(Path.Combine(job.ModelFolder, "model.safetensors"), artifact, progress);
        File.WriteAllText(Path.Combine(job.OutputFolder, job.Name + ModelFiles.ManifestSuffix), JsonSerializer.Serialize(Manifest(job, new FileInfo(artifact).Length), ManifestJson.Default.Manifest));
        File.WriteAllText(Path.Combine(job.OutputFolder, job.Name + ".masquant.facts.json"), """{"formatVersion":1,"sourceBytes":7,"blocks":[{"index":0,"misalignment":[],"spectra":[]}]}""");
    }

    // It opens, as whoever takes it from a cache will see to.
    private static void Write(string path, Manifest manifest, string made) => SafetensorsWriter.Write(
        path,
        [Bytes(ArtifactNames.FilePrefix + ArtifactNames.ManifestFileName, ManifestFile.Serialize(manifest)), Bytes("made", Encoding.UTF8.GetBytes(made))],
        new Dictionary<string, string> { [ArtifactNames.FormatKey] = ArtifactNames.Format, [ArtifactNames.VersionKey] = MASQuant.Formats.Artifacts.Manifest.CurrentFormatVersion.ToString(CultureInfo.InvariantCulture) });

    private static TensorPayload Bytes(string name, byte[] content) => TensorPayload.OfBytes(name, DataType.U8, content, content.Length);

    // What a test writes in place of weights says how to differ.
    private static void Behave(string weights, string artifact, IProgress<QuantizationProgress> progress)
    {
        switch (File.ReadAllText(weights))
        {
            case "hostile":
                throw new MASQuantException(DiagnosticCodes.LfsPointer, weights, "The file is hostile.");
            case "crash":
                throw new InvalidOperationException("a bug");
            case "slow":
                Thread.Sleep(3000);
                progress.Report(new QuantizationProgress(QuantizationStage.Quantize, 1, 2, null, 0.75, TimeSpan.FromSeconds(1), "layer 2 of 2"));
                break;
            case "large":
                using (var file = File.OpenWrite(artifact))
                {
                    file.SetLength(LargeBytes);
                }

                break;
        }
    }

    private static Manifest Manifest(QuantizationJob job, long bytes) => new()
    {
        ToolVersion = "0.1.0",
        Name = job.Name,
        Source = Path.GetFileName(job.ModelFolder),
        Quantized = true,
        Artifact = job.Name + ModelFiles.ArtifactSuffix,
        ArtifactBytes = bytes,
        Model = new ManifestModel
        {
            Family = "Qwen25VL",
            Modalities = ["Text", "Vision"],
            HiddenSize = 32,
            IntermediateSize = 64,
            AttentionHeads = 1,
            KeyValueHeads = 1,
            VocabularySize = 128,
            MaxPositions = 512,
        },
        Tokenizer = new ManifestTokenizer { Tokens = 128, Sha256 = new string('0', 64) },
        Scheme = job.Options.Scheme.ToString(),
        Layers =
        [
            new ManifestLayer
            {
                Index = 0,
                Linears =
                [
                    new ManifestLinear
                    {
                        Name = "mlp.down_proj",
                        Group = "Down",
                        Outputs = 32,
                        Inputs = 64,
                        Scheme = job.Options.Scheme.ToString(),
                        Sqnr = new SortedDictionary<string, ManifestSqnr> { ["Text"] = new(24.5, 24.5), ["Vision"] = new(22, 31) },
                    },
                ],
            },
        ],
    };
}
