using MASQuant.Diagnostics;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Layers;

/// <summary>Reads what a source has at 8 bits of a head or a tower; groups share their working memory.</summary>
/// <param name="source">Must outlive the groups, whose codes stay mapped.</param>
/// <param name="backend">Executes the products; null: the kernels that suit the processor.</param>
public sealed class CodedLinears(ITensorSource source, IGemmBackend? backend = null)
{
    private readonly IGemmBackend _backend = backend ?? new CpuGemmBackend();
    private readonly PreparedTokensPool _pool = new();

    /// <summary>The layers of a step; null where the source has them in full precision.</summary>
    /// <param name="step">Names and extents.</param>
    /// <param name="prefix">What precedes the names.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public ILinearGroup? TryRead(ProjectStep step, string prefix)
    {
        if (step.IsStoredAsOne(source, prefix))
        {
            var stored = step.Linears[0] with { Name = step.FusedName!, Outputs = step.Linears.Sum(layer => layer.Outputs) };
            return TryRead(stored, prefix) is { } whole ? Group([.. Parts(stored.Name, whole.Weight, step.Linears).Select(part => whole with { Weight = part })]) : null;
        }

        var weights = step.Linears.Select(layer => TryRead(layer, prefix)).OfType<CodedMatrix>().ToArray();
        return weights.Length == step.Linears.Count ? Group(weights) : null;
    }

    /// <summary>The head of a decoder; null where the source has it in full precision.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="outputs">V.</param>
    /// <param name="inputs">H.</param>
    /// <param name="bits">Of a code.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public ILinearGroup? TryReadHead(string name, int outputs, int inputs, int bits = 8) => CodedMatrix.TryRead(source, name, outputs, inputs, bits) is { } matrix ? Group([matrix]) : null;

    private CodedLinearGroup Group(IReadOnlyList<CodedMatrix> layers)
    {
        var block = layers[0].RotationBlock;
        return layers.All(layer => layer.RotationBlock == block)
            ? new([.. layers.Select(layer => layer.Weight)], InputTransform.None with { RotationBlock = block }, _backend, _pool)
            : throw new MASQuantException(DiagnosticCodes.ArtifactInvalid, source.Path, "Layers at 8 bits that share their input are rotated by different blocks. Quantize the model again.");
    }

    private CodedMatrix? TryRead(LinearDescription layer, string prefix)
    {
        if (CodedMatrix.TryRead(source, $"{prefix}{layer.Name}.weight", layer.Outputs, layer.Inputs) is not { } matrix)
        {
            return null;
        }

        var bias = source.ReadBias(layer, prefix);
        Array.Resize(ref bias, bias.Length == 0 ? 0 : matrix.Weight.Outputs);
        return matrix with { Weight = matrix.Weight with { Bias = bias } };
    }

    private QuantizedWeight[] Parts(string name, QuantizedWeight whole, IReadOnlyList<LinearDescription> layers)
    {
        if (layers.Any(layer => layer.Outputs % PackingLayout.PanelOutputs != 0))
        {
            throw new MASQuantException(DiagnosticCodes.ArtifactInvalid, source.Path, $"Layer '{name}' is at 8 bits and does not divide into whole panels of {PackingLayout.PanelOutputs} outputs. Quantize the model again.");
        }

        var (parts, first) = (new List<QuantizedWeight>(), 0);
        foreach (var layer in layers)
        {
            parts.Add(whole with
            {
                Outputs = layer.Outputs,
                Codes = whole.Codes.Slice(first * whole.Inputs, layer.Outputs * whole.Inputs),
                Scales = whole.Scales.Slice(first, layer.Outputs),
                Bias = whole.Bias.IsEmpty ? default : whole.Bias.Slice(first, layer.Outputs),
            });
            first += layer.Outputs;
        }

        return [.. parts];
    }
}
