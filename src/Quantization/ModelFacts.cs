using System.Security.Cryptography;
using MASQuant.Engine.Text;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Blocks;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;

namespace MASQuant.Quantization;

/// <summary>What the manifest says of a model; the artifact's writer fills in the sizes.</summary>
public static class ModelFacts
{
    private const string TokenizerFile = "tokenizer.json";

    /// <summary>What is known before quantization: all but the calibration set, bytes and SQNR.</summary>
    /// <param name="job">The model.</param>
    /// <param name="config">Its configuration.</param>
    /// <param name="tokenizer">The content of its <c>tokenizer.json</c>.</param>
    /// <exception cref="MASQuantException">The tokenizer cannot be read.</exception>
    public static Manifest Planned(QuantizationJob job, ModelConfig config, ReadOnlyMemory<byte> tokenizer) => new()
    {
        ToolVersion = ToolVersion.Current,
        Name = job.Name,
        Source = Path.GetFileName(Path.GetFullPath(job.ModelFolder).TrimEnd(Path.DirectorySeparatorChar)),
        Quantized = false,
        Artifact = job.Name + ModelFiles.ArtifactSuffix,
        Scheme = job.Options.Scheme.ToString(),
        Options = OptionTable.Write(job.Options),
        Model = ManifestModel.Of(config),
        Tokenizer = new ManifestTokenizer
        {
            Tokens = Tokenizer.Load(tokenizer, Path.Combine(job.ModelFolder, TokenizerFile)).Count,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(tokenizer.Span)),
        },
        Layers = [.. Enumerable.Range(0, config.Text.Layers).Select(layer => LayerFacts.Planned(layer, config, job.Options))],
    };

    /// <summary>Collects the facts of a finished run.</summary>
    internal static Manifest Of(QuantizationJob job, IModelSource checkpoint, ModelConfig config, CalibrationSet calibration, IReadOnlyList<CalibrationSequence> sequences, IReadOnlyList<ManifestLayer> layers)
    {
        var tokens = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var modality in config.Modalities)
        {
            tokens[modality.ToString()] = sequences.Sum(sequence => (long)sequence.Modalities.CountOf(modality));
        }

        return Planned(job, config, checkpoint.ReadFile(TokenizerFile)) with
        {
            Quantized = true,
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
