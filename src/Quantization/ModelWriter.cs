using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;
using MASQuant.Quantization.Weights;

namespace MASQuant.Quantization;

/// <summary>Writes the artifact of finished blocks, with what options say of the parts beside them.</summary>
internal static class ModelWriter
{
    /// <summary>Writes the artifact and its manifest, as <see cref="ArtifactWriter"/> does.</summary>
    public static Manifest Write(string folder, Manifest manifest, IModelSource checkpoint, ModelConfig config, QuantizationOptions options, IReadOnlyList<string> layerFiles, Action check, CancellationToken cancellationToken)
    {
        var coded = CodedParts.Of(checkpoint, config, options);
        return ArtifactWriter.Write(folder, manifest, checkpoint, layerFiles, tensor => coded.Contains(tensor.Name) ? CodedPart.Payloads(checkpoint, tensor) : null, check, cancellationToken);
    }
}
