using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Planning;

/// <summary>What quantizing a checkpoint will take, from its headers alone.</summary>
public sealed class QuantizationPlan
{
    private const int ManifestBytesPerLinear = 1200;
    private const int HeaderBytesPerTensor = 120;
    private readonly IReadOnlyList<(int Layer, DecoderLinear Linear, TensorInfo Tensor)> _linears;
    private readonly long _keptBytes;

    private QuantizationPlan(ModelConfig config, QuantizationOptions options, CalibrationExtent calibration, IReadOnlyList<(int, DecoderLinear, TensorInfo)> linears, IReadOnlyList<(string, int, long)> parts, long fileBytes)
    {
        (Config, Options, Calibration, _linears, Parts) = (config, options, calibration, linears, parts);
        _keptBytes = fileBytes + Parts.Where(part => part.Part != ModelPart.Quantized).Sum(part => part.Bytes);
        ArtifactBytes = BytesAt(options);
        DiskBytes = ArtifactBytes + (ArtifactBytes - _keptBytes);
        MemoryBytes = PlannedMemory.Of(config, options, calibration, TowerBytes, ArtifactBytes);
        Operations = PlannedWork.Of(config, options, calibration);
    }

    /// <summary>The model.</summary>
    public ModelConfig Config { get; }

    /// <summary>The method.</summary>
    public QuantizationOptions Options { get; }

    /// <summary>The calibration set's extent.</summary>
    public CalibrationExtent Calibration { get; }

    /// <summary>The checkpoint's parts with the number of their tensors and their bytes.</summary>
    public IReadOnlyList<(string Part, int Tensors, long Bytes)> Parts { get; }

    /// <summary>The linear layers that are quantized: 7 for every block.</summary>
    public int QuantizedLinears => _linears.Count;

    /// <summary>The artifact's bytes, within about a percent.</summary>
    public long ArtifactBytes { get; }

    /// <summary>The disk space of a run: finished blocks, which wait until the last is done, and the artifact.</summary>
    public long DiskBytes { get; }

    /// <summary>The peak of resident memory, the mapped weights of one block included (docs/performance.md).</summary>
    public long MemoryBytes { get; }

    /// <summary>Floating-point operations, weighed by how fast each kind runs: of an FP32 product of matrices each counts 1.</summary>
    public double Operations { get; }

    internal long TowerBytes => Parts.Where(part => part.Part.EndsWith("tower", StringComparison.Ordinal)).Sum(part => part.Bytes);

    /// <summary>Plans.</summary>
    /// <exception cref="MASQuantException">MASQ0107, MASQ0108 the headers do not have what the configuration calls for; MASQ0501 a shape that cannot be packed.</exception>
    public static QuantizationPlan Of(IModelSource checkpoint, ModelConfig config, QuantizationOptions options, CalibrationExtent calibration)
    {
        var linears = CheckpointShapes.Read(checkpoint, config.Decoder());
        var quantized = linears.Select(linear => linear.Tensor.Name).ToHashSet();
        var parts = checkpoint.Tensors.GroupBy(tensor => ModelPart.Of(tensor.Name, quantized))
            .Select(part => (part.Key, part.Count(), part.Sum(tensor => tensor.Count * tensor.Type.ByteSize())))
            .OrderByDescending(part => part.Item3);
        var files = ArtifactNames.EmbeddedFiles.Sum(name => checkpoint.TryReadFile(name, out var content) ? (long)content.Length : 0);
        return new QuantizationPlan(config, options, calibration, linears, [.. parts], files);
    }

    /// <summary>The artifact's bytes at another scheme; null when a layer's shape does not fit it.</summary>
    public long? ArtifactBytesAt(QuantizationScheme scheme)
    {
        try
        {
            foreach (var (_, linear, _) in _linears)
            {
                PackingLayout.CheckShape(linear.Name, linear.Outputs, linear.Inputs, scheme);
            }

            return BytesAt(Options with { Scheme = scheme });
        }
        catch (MASQuantException)
        {
            return null;
        }
    }

    private long BytesAt(QuantizationOptions options)
    {
        var bytes = _keptBytes;
        foreach (var (layer, linear, _) in _linears)
        {
            var scheme = options.SchemeFor(layer, linear.Group);
            var scales = scheme.QuantizesActivations ? linear.Outputs * sizeof(float) : (long)linear.Outputs * (linear.Inputs / PackingLayout.GroupSize) * (sizeof(float) + 1);
            var ranks = Config.Modalities.Sum(modality => options.RankFor(layer, linear, modality));
            var patches = (long)ranks * (linear.Outputs + linear.Inputs) * sizeof(ushort);
            bytes += PackingLayout.PackedBytes(linear.Outputs, linear.Inputs, scheme.WeightBits) + scales + patches + ManifestBytesPerLinear + (4 * HeaderBytesPerTensor);
        }

        var widths = Config.Decoder().Blocks.Sum(block => block.Groups.Sum(group => (long)block.LinearsOf(group)[0].Inputs));
        return bytes + (widths * Config.Modalities.Count * sizeof(float));
    }
}
