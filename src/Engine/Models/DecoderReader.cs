using MASQuant.Diagnostics;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Models;

/// <summary>Reads a decoder as its source holds it: in full precision from a checkpoint, quantized from an artifact.</summary>
public static class DecoderReader
{
    /// <summary>Reads all blocks; <paramref name="source"/> must outlive the result.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static Decoder Read(IModelSource source, TextConfig config, TokenEmbedding embedding, IGemmBackend? backend)
    {
        if (source is not Artifact artifact)
        {
            return Decoder.Read(source, config, layer => BlockWeights.Of(source, config, layer).ToDense(config), embedding);
        }

        var pool = new PreparedTokensPool();
        backend ??= new CpuGemmBackend();
        return Decoder.Read(artifact, config, layer =>
        {
            ILinearGroup Group(InputGroup group) => ReadGroup(artifact, config, layer, group, backend, pool);
            return new DecoderBlock(config, BlockWeights.ReadNorms(artifact, config, layer), Group(InputGroup.Qkv), Group(InputGroup.O), Group(InputGroup.GateUp), Group(InputGroup.Down));
        }, embedding);
    }

    /// <summary>The quantized weights of an input group, of one scheme; null when the artifact holds the group as the checkpoint had it.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static QuantizedWeight[]? ReadQuantized(Artifact artifact, TextConfig config, int layer, InputGroup group)
    {
        DecoderLinear[] linears = [.. DecoderLinear.Of(config).Where(linear => linear.Group == group)];
        if (!linears.Any(linear => artifact.IsQuantized(layer, linear.Name)))
        {
            return null;
        }

        QuantizedWeight[] weights = [.. linears.Select(linear => artifact.ReadLinear(layer, linear.Name))];
        foreach (var (linear, weight) in linears.Zip(weights))
        {
            if ((weight.Outputs, weight.Inputs, weight.Scheme, weight.RotationBlock) != (linear.Outputs, linear.Inputs, weights[0].Scheme, weights[0].RotationBlock))
            {
                throw new MASQuantException(DiagnosticCodes.ArtifactInvalid, artifact.Path,
                    $"Layer '{DecoderLinear.BlockPrefix(layer)}{linear.Name}' is {weight.Scheme} [{weight.Outputs}, {weight.Inputs}]; its model and its input group call for {weights[0].Scheme} [{linear.Outputs}, {linear.Inputs}]. Quantize the model again.");
            }
        }

        return weights;
    }

    private static ILinearGroup ReadGroup(Artifact artifact, TextConfig config, int layer, InputGroup group, IGemmBackend backend, PreparedTokensPool pool)
        => ReadQuantized(artifact, config, layer, group) is { } weights
            ? new QuantizedLinearGroup(weights, artifact.ReadInverseSmoothing(layer, group), backend, pool)
            : BlockWeights.ReadDense([.. DecoderLinear.Of(config).Where(linear => linear.Group == group).Select(linear => LinearWeight.Of(artifact, linear, layer))]);
}
