using System.Security.Cryptography;
using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

/// <summary>A quantization that takes about a second: vl-tiny with a handful of samples.</summary>
internal static class TinyRun
{
    public static QuantizationOptions Options => new() { Epochs = 1, Rank = 4, DeviatingChannels = 2 };

    /// <summary>Options given as Key=Value, as <see cref="Program"/> takes them.</summary>
    public static QuantizationOptions Read(IEnumerable<string> options) => OptionTable.Read(options.Select(option => option.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]));

    /// <summary>Writes a set of images (out of the calibration set or, kind "eval", the evaluation set) and text into <paramref name="folder"/> and returns its path.</summary>
    public static string Calibration(string folder, int images = 3, string kind = "calib")
    {
        var lines = new List<string>();
        Directory.CreateDirectory(Path.Combine(folder, "media"));
        foreach (var file in Directory.GetFiles(RepositoryFiles.Data("media"), $"{kind}-ocr-*.png").Order(StringComparer.Ordinal).Take(images))
        {
            File.Copy(file, Path.Combine(folder, "media", Path.GetFileName(file)), overwrite: true);
            lines.Add($$"""{"messages": [{"role": "user", "content": [{"type": "image", "image": "media/{{Path.GetFileName(file)}}"}, {"type": "text", "text": "Read the digits."}]}, {"role": "assistant", "content": "8 1 6"}]}""");
        }

        lines.Add("""{"messages": [{"role": "user", "content": "Quote a verse."}, {"role": "assistant", "content": "In the beginning God created the heaven and the earth."}]}""");
        var path = Path.Combine(folder, "calibration.jsonl");
        File.WriteAllLines(path, lines);
        return path;
    }

    public static QuantizationJob Job(string folder, QuantizationOptions? options = null) => new()
    {
        ModelFolder = RepositoryFiles.VlTiny,
        CalibrationFile = Calibration(folder),
        OutputFolder = Path.Combine(folder, "out"),
        WorkFolder = Path.Combine(folder, "work"),
        Name = "VlTiny",
        Options = options ?? Options,
    };

    public static string ArtifactPath(QuantizationJob job) => Path.Combine(job.OutputFolder, "VlTiny.masquant.safetensors");

    public static string FactsPath(QuantizationJob job) => Path.Combine(job.OutputFolder, "VlTiny.masquant.facts.json");

    /// <summary>SHA-256 of the artifact, the manifest and the facts of a fresh run.</summary>
    public static string Hash(QuantizationOptions? options = null)
    {
        using var folder = new TemporaryDirectory();
        var job = Job(folder.Path, options);
        QuantizationPipeline.Run(job);
        return HashOf(job);
    }

    /// <summary>SHA-256 of every tensor of the artifact, without the files in it.</summary>
    public static string TensorHash(QuantizationJob job)
    {
        using var artifact = Artifact.Open(ArtifactPath(job));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var tensor in artifact.Tensors)
        {
            hash.AppendData(artifact.Bytes(tensor.Name).Span);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public static string HashOf(QuantizationJob job)
        => Convert.ToHexStringLower(SHA256.HashData([.. File.ReadAllBytes(ArtifactPath(job)), .. File.ReadAllBytes(Path.Combine(job.OutputFolder, "VlTiny.masquant.json")), .. File.ReadAllBytes(FactsPath(job))]));
}
