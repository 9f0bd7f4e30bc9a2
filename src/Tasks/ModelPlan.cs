using System.Security.Cryptography;
using MASQuant.Diagnostics;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Quantization;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;

namespace MASQuant.Tasks;

/// <summary>The manifest that quantizing a model would give, as far as its configuration and the headers of its weights tell: everything but bytes and SQNR. Editors show it before the first build.</summary>
internal static class ModelPlan
{
    /// <summary>Plans.</summary>
    /// <param name="model">The model.</param>
    /// <param name="warn">Receives what is wrong with the weights' headers; the configuration then has to do.</param>
    /// <exception cref="MASQuantException">The configuration cannot be read.</exception>
    public static Manifest Of(ModelItem model, Action<MASQuantException> warn)
    {
        var config = ModelConfigReader.ReadFolder(model.Folder);
        model.Options.CheckBlocks(config.Text.Layers);
        CheckHeaders(model.Folder, config, warn);
        return new Manifest
        {
            ToolVersion = ToolVersion.Current,
            Name = model.Name,
            Source = Path.GetFileName(model.Folder),
            Quantized = false,
            Artifact = model.Name + ModelFiles.ArtifactSuffix,
            Model = ManifestModel.Of(config),
            Tokenizer = Tokenizer(Path.Combine(model.Folder, "tokenizer.json")),
            Scheme = model.Options.Scheme.ToString(),
            Options = OptionTable.Write(model.Options),
            Layers = [.. Enumerable.Range(0, config.Text.Layers).Select(layer => Layer(layer, config, model.Options))],
        };
    }

    // Weights that Git LFS has not fetched yet are nothing to complain of in an editor.
    private static void CheckHeaders(string folder, ModelConfig config, Action<MASQuantException> warn)
    {
        try
        {
            using var checkpoint = Checkpoint.Open(folder);
            CheckpointShapes.Read(checkpoint, config.Decoder());
        }
        catch (MASQuantException problem)
        {
            if (problem.Code != DiagnosticCodes.LfsPointer)
            {
                warn(problem);
            }
        }
    }

    private static ManifestTokenizer Tokenizer(string file)
    {
        var content = File.Exists(file) ? File.ReadAllBytes(file) : throw Messages.TokenizerMissing(file);
        return new ManifestTokenizer { Tokens = Engine.Text.Tokenizer.Load(content, file).Count, Sha256 = Convert.ToHexStringLower(SHA256.HashData(content)) };
    }

    private static ManifestLayer Layer(int index, ModelConfig config, QuantizationOptions options) => new()
    {
        Index = index,
        Linears = [.. config.Decoder().Blocks[index].Linears.Select(linear => new ManifestLinear
        {
            Name = linear.Name,
            Group = linear.Group.ToString(),
            Outputs = linear.Outputs,
            Inputs = linear.Inputs,
            Scheme = options.SchemeFor(index, linear.Group).ToString(),
            Ranks = Ranks(index, linear, config.Modalities, options),
        })],
    };

    private static SortedDictionary<string, int> Ranks(int layer, DecoderLinear linear, IEnumerable<Modality> modalities, QuantizationOptions options)
        => new(modalities.ToDictionary(modality => modality.ToString(), modality => options.RankFor(layer, linear, modality)).Where(rank => rank.Value > 0).ToDictionary(), StringComparer.Ordinal);
}
