using System.Security.Cryptography;
using MASQuant.Engine.Text;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization;

/// <summary>What the manifest says of a model; the artifact's writer fills in the sizes.</summary>
internal static class ModelFacts
{
    /// <summary>Collects the facts of a finished run.</summary>
    public static Manifest Of(QuantizationJob job, IModelSource checkpoint, ModelConfig config, CalibrationSet calibration, IReadOnlyList<CalibrationSequence> sequences, IReadOnlyList<ManifestLayer> layers)
    {
        var tokenizer = checkpoint.ReadFile("tokenizer.json");
        var tokens = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var modality in config.Modalities)
        {
            tokens[modality.ToString()] = sequences.Sum(sequence => (long)sequence.Modalities.CountOf(modality));
        }

        return new Manifest
        {
            ToolVersion = ToolVersion.Current,
            Name = job.Name,
            Source = Path.GetFileName(Path.GetFullPath(job.ModelFolder).TrimEnd(Path.DirectorySeparatorChar)),
            Quantized = true,
            Artifact = job.Name + ModelFiles.ArtifactSuffix,
            Scheme = job.Options.Scheme.ToString(),
            Options = OptionTable.Write(job.Options),
            Model = ManifestModel.Of(config),
            Tokenizer = new ManifestTokenizer
            {
                Tokens = Tokenizer.Load(tokenizer, checkpoint.Path).Count,
                Sha256 = Convert.ToHexStringLower(SHA256.HashData(tokenizer.Span)),
            },
            Calibration = new ManifestCalibration
            {
                File = Path.GetFileName(job.CalibrationFile),
                Sha256 = calibration.Sha256,
                Samples = calibration.Conversations.Count,
                SubsetSeed = calibration.Subset?.Seed,
                Tokens = tokens,
            },
            Layers = layers,
        };
    }
}
