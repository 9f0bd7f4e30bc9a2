using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
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
    private readonly IReadOnlyList<(int Layer, DecoderLinear Linear, DataType? Bias)> _linears;
    private readonly long _keptBytes;
    private readonly Dictionary<string, long> _values;

    private QuantizationPlan(ModelConfig config, QuantizationOptions options, CalibrationExtent calibration, IReadOnlyList<(int, DecoderLinear, DataType?)> linears, IReadOnlyList<(string, int, long)> parts, Dictionary<string, long> values, long keptBytes)
    {
        (Config, Options, Calibration, _linears, Parts, _values, _keptBytes) = (config, options, calibration, linears, parts, values, keptBytes);
        ArtifactBytes = BytesAt(options);
        DiskBytes = ArtifactBytes + (ArtifactBytes - _keptBytes);
        MemoryBytes = PlannedMemory.Of(config, options, calibration, TowerBytes, ArtifactBytes);
        Operations = PlannedWork.Of(config, options, calibration, TowerValues);
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

    /// <summary>The bytes of <see cref="ArtifactBytes"/> that no linear layer's weight and patches take: their sum by <see cref="PlannedBytes"/> is left out.</summary>
    public long OtherBytes => ArtifactBytes - _linears.Sum(linear => PlannedBytes.Of(linear.Linear, Options.SchemeFor(linear.Layer, linear.Linear.Group), RanksOf(linear.Layer, linear.Linear, Options), Options));

    /// <summary>The bytes of the linear layers' tensors and their smoothing factors: exact.</summary>
    public long QuantizedBytes => QuantizedBytesAt(Options);

    /// <summary>The disk space of a run: finished blocks, which wait until the last is done, and the artifact.</summary>
    public long DiskBytes { get; }

    /// <summary>The peak of resident memory, the mapped weights of one block included (docs/performance.md).</summary>
    public long MemoryBytes { get; }

    /// <summary>Floating-point operations, weighed by how fast each kind runs: of an FP32 product of matrices each counts 1.</summary>
    public double Operations { get; }

    /// <summary><see cref="Operations"/> with other options that take another part of the calibration set.</summary>
    /// <param name="options">The method.</param>
    /// <param name="calibration">The whole set.</param>
    public double OperationsAt(QuantizationOptions options, CalibrationExtent calibration) => PlannedWork.Of(Config, options, calibration.Part(options.SamplesOf(calibration.Samples)), TowerValues);

    internal long TowerBytes => Parts.Where(part => part.Part is ModelPart.VisionTower or ModelPart.AudioTower).Sum(part => part.Bytes);

    /// <summary>Plans.</summary>
    /// <exception cref="MASQuantException">MASQ0107, MASQ0108 the headers do not have what the configuration calls for; MASQ0501 a shape that cannot be packed.</exception>
    public static QuantizationPlan Of(IModelSource checkpoint, ModelConfig config, QuantizationOptions options, CalibrationExtent calibration)
    {
        var linears = CheckpointShapes.Read(checkpoint, config.Decoder());
        var quantized = linears.Select(linear => linear.Tensor.Name).ToHashSet();
        var parts = checkpoint.Tensors.GroupBy(tensor => ModelPart.Of(tensor.Name, quantized))
            .Select(part => (part.Key, part.Count(), part.Sum(tensor => tensor.Bytes)))
            .OrderByDescending(part => part.Item3);
        var files = ArtifactNames.EmbeddedFiles.Sum(name => checkpoint.TryReadFile(name, out var content) ? (long)content.Length : 0);
        var biased = linears.Select(linear => (linear.Layer, linear.Linear, Bias: BiasOf(checkpoint, linear.Tensor))).ToArray();
        var replaced = biased.Sum(linear => linear.Bias is { } bias ? bias.Bytes : 0);
        var coded = CodedParts.Of(checkpoint, config, options);
        var saved = checkpoint.Tensors.Where(tensor => coded.Contains(tensor.Name)).Sum(tensor => tensor.Bytes - CodedMatrix.Bytes(tensor.Shape[0], (int)(tensor.Count / tensor.Shape[0])));
        var kept = parts.Where(part => part.Key != ModelPart.Quantized).Sum(part => part.Item3) - replaced - saved;
        kept += CodedParts.GuessHead(checkpoint, config, options) is null
            ? -parts.Where(part => part.Key == ModelPart.GuessHead).Sum(part => part.Item3)
            : CodedMatrix.Bytes(config.Text.VocabularySize, config.Text.HiddenSize, GuessHeadDescription.HeadScheme.WeightBits);
        var values = checkpoint.Tensors.GroupBy(tensor => ModelPart.Of(tensor.Name, quantized)).ToDictionary(part => part.Key, part => part.Sum(tensor => tensor.Bytes / tensor.Type.ByteSize()));
        return new QuantizationPlan(config, options, calibration, [.. biased.Select(linear => (linear.Layer, linear.Linear, StoredType(linear.Bias)))], [.. parts], values, files + kept);
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

    private long BytesAt(QuantizationOptions options) => _keptBytes + QuantizedBytesAt(options) + (_linears.Count * (long)(ManifestBytesPerLinear + (4 * HeaderBytesPerTensor)));

    private long QuantizedBytesAt(QuantizationOptions options)
    {
        var linears = _linears.Sum(linear => PlannedBytes.Of(linear.Linear, options.SchemeFor(linear.Layer, linear.Linear.Group), RanksOf(linear.Layer, linear.Linear, options), options, linear.Bias));
        return linears + Config.Decoder().Blocks.Index().Sum(block => block.Item.Groups.Sum(group =>
        {
            var first = block.Item.LinearsOf(group)[0];
            return TensorBytes.OfInput(first.Inputs, options.RotationBlockFor(first) > 0, options.ClipsActivations(options.SchemeFor(block.Index, group)));
        }));
    }

    private long TowerValues(Modality modality) => _values.GetValueOrDefault(modality == Modality.Vision ? ModelPart.VisionTower : ModelPart.AudioTower);

    private int RanksOf(int layer, DecoderLinear linear, QuantizationOptions options) => Config.Modalities.Sum(modality => options.RankFor(layer, linear, modality));

    private static TensorInfo? BiasOf(IModelSource checkpoint, TensorInfo weight) => checkpoint.TryGet(Path.ChangeExtension(weight.Name, ".bias"), out var bias) ? bias : null;

    // A bias of another type than BF16 keeps FP32, unless BF16 holds its values, which headers do not tell.
    private static DataType? StoredType(TensorInfo? bias) => bias is null ? null : bias.Type == DataType.BF16 ? DataType.BF16 : DataType.F32;
}
