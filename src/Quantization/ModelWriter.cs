using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
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
        var (coded, head, guesses) = (CodedParts.Of(checkpoint, config, options), config.Decoder().Head, CodedParts.GuessHead(checkpoint, config, options));
        return ArtifactWriter.Write(folder, manifest, checkpoint, layerFiles, Code, check, cancellationToken);

        IReadOnlyList<TensorPayload>? Code(TensorInfo tensor)
        {
            if (guesses is null && tensor.Name.StartsWith(GuessHeadDescription.Prefix, StringComparison.Ordinal))
            {
                return [];
            }

            var payloads = coded.Contains(tensor.Name) ? CodedPart.Payloads(checkpoint, tensor) : null;
            return guesses is null || tensor.Name != head ? payloads : [.. payloads ?? [TensorPayload.From(checkpoint, tensor)], .. CodedPart.Payloads(checkpoint, tensor, GuessHeadDescription.Head, GuessHeadDescription.HeadScheme)];
        }
    }
}
