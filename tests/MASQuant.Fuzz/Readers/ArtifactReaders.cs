using System.Text;
using System.Text.Unicode;
using MASQuant.Evaluation.Reports;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;
using MASQuant.Generators;
using MASQuant.Tests;

namespace MASQuant.Fuzz.Readers;

/// <summary>Safetensors files and what is made of them.</summary>
/// <param name="scratch">Holds them.</param>
internal sealed class ArtifactReaders(Scratch scratch)
{
    private static readonly DecoderDescription Decoder = ModelConfigReader.ReadFolder(RepositoryFiles.VlTiny).Decoder();

    /// <summary>A file and every tensor of it.</summary>
    public void Safetensors(byte[] content)
    {
        using var file = SafetensorsFile.Open(scratch.File("a.safetensors", content));
        foreach (var tensor in file.Tensors)
        {
            _ = file.Bytes(tensor.Name).Length;
            file.RequireFinite(tensor);
        }
    }

    /// <summary>A folder with the file as its weights.</summary>
    public void Checkpoint(byte[] content)
    {
        Directory.CreateDirectory(Path.Combine(scratch.Path, "checkpoint"));
        scratch.File(Path.Combine("checkpoint", "model.safetensors"), content);
        using var checkpoint = Formats.Checkpoints.Checkpoint.Open(Path.Combine(scratch.Path, "checkpoint"));
    }

    /// <summary>An artifact, every layer and every file of it.</summary>
    public void Artifact(byte[] content)
    {
        using var artifact = Formats.Artifacts.Artifact.Open(scratch.File("a.masquant.safetensors", content));
        foreach (var layer in artifact.Manifest.Layers)
        {
            foreach (var linear in layer.Linears)
            {
                artifact.ReadLinear(layer.Index, linear.Name);
                artifact.ReadInput(layer.Index, linear.Name);
                artifact.ReadInput(layer.Index, Enum.Parse<InputGroup>(linear.Group));
            }
        }

        PreprocessorConfigReader.Read(artifact, ModelConfigReader.Read(artifact));
        GenerationConfigReader.Read(artifact);
        ChatTemplate.WarningOf(artifact);
    }

    /// <summary>A finished block in a work folder.</summary>
    public void Block(byte[] content) => LayerFile.Read(scratch.File("layer-000.safetensors", content), 0, Decoder);

    /// <summary>A manifest and its report.</summary>
    public void Manifest(byte[] json)
    {
        var manifest = scratch.File("a.masquant.json", json);
        QuantizationReport.Render(ReportModel.Read(manifest));
        ManifestFile.Serialize(ManifestFile.Read(manifest));
    }

    /// <summary>A manifest in the source generator, which has a reader of its own. It takes none that the runtime would refuse: a class of it could load nothing.</summary>
    public static void GeneratedClass(byte[] json)
    {
        var parsed = ManifestParser.Parse("a.masquant.json", Encoding.UTF8.GetString(json));
        _ = parsed.Problem?.ToDiagnostic(parsed.Path);
        if (parsed.Model is { } model)
        {
            ModelEmitter.Emit(model, "Application");
            if (model.Layers.SelectMany(layer => layer.Linears).Select(linear => linear.Scheme).Append(model.Scheme).All(scheme => QuantizationScheme.TryParse(scheme, out _))) // The generator knows their form alone.
            {
                RequireTaken(json);
            }
        }
        else
        {
            throw new MASQuantException(parsed.Problem!.Id, parsed.Path, parsed.Problem.Detail);
        }
    }

    // The compiler reads what is no UTF-8 with other letters in its place.
    private static void RequireTaken(byte[] json)
    {
        try
        {
            ManifestFile.Parse(json, "a.masquant.json");
        }
        catch (MASQuantException refused) when (Utf8.IsValid(json))
        {
            throw new InvalidOperationException($"The generator takes what the runtime refuses: {refused.Message}", refused);
        }
    }
}
