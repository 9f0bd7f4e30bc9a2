using MASQuant.Diagnostics;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Models;

/// <summary>Reads a decoder as its source holds it: in full precision from a checkpoint, quantized from an artifact.</summary>
public static class DecoderReader
{
    /// <summary>Reads all blocks.</summary>
    /// <param name="source">A checkpoint or an artifact; must outlive the result.</param>
    /// <param name="decoder">What it is made of.</param>
    /// <param name="embedding">Its token embedding.</param>
    /// <param name="groups">Makes the quantized layers.</param>
    /// <param name="backend">Executes the product of a head at 8 bits; null: the kernels that suit the processor.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static Decoder Read(IModelSource source, DecoderDescription decoder, TokenEmbedding embedding, ILinearGroups groups, IGemmBackend? backend = null)
    {
        if (source is not Artifact artifact)
        {
            return Decoder.Read(source, decoder, layer => TransformerBlock.Read(source, decoder.Blocks[layer]), embedding);
        }

        return Decoder.Read(artifact, decoder, layer => TransformerBlock.Read(artifact, decoder.Blocks[layer], step =>
            ReadQuantized(artifact, decoder, layer, step) is { } weights ? groups.Create(weights, artifact.ReadInput(layer, step.Group!.Value)) : null), embedding, backend);
    }

    /// <summary>The quantized weights of a step's layers, of one scheme; null when the artifact holds them as the checkpoint had them.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static QuantizedWeight[]? ReadQuantized(Artifact artifact, DecoderDescription decoder, int layer, ProjectStep step)
    {
        var linears = step.Linears;
        if (step.Group is null || !linears.Any(linear => artifact.IsQuantized(layer, linear.Name)))
        {
            return null;
        }

        QuantizedWeight[] weights = [.. linears.Select(linear => artifact.ReadLinear(layer, linear.Name))];
        foreach (var (linear, weight) in linears.Zip(weights))
        {
            if ((weight.Outputs, weight.Inputs, weight.Scheme) != (linear.Outputs, linear.Inputs, weights[0].Scheme))
            {
                throw new MASQuantException(DiagnosticCodes.ArtifactInvalid, artifact.Path,
                    $"Layer '{decoder.Blocks[layer].Prefix}{linear.Name}' is {weight.Scheme} [{weight.Outputs}, {weight.Inputs}]; its model and its input group call for {weights[0].Scheme} [{linear.Outputs}, {linear.Inputs}]. Quantize the model again.");
            }
        }

        return weights;
    }
}
