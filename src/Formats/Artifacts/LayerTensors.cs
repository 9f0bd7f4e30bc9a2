using MASQuant.Diagnostics;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Formats.Artifacts;

/// <summary>How a quantized decoder block lies in a safetensors file.</summary>
internal static class LayerTensors
{
    private const byte MaxZeroPoint = 15;
    private const string GroupSizeOption = "GroupSize";

    private static readonly Modality[] Modalities = Enum.GetValues<Modality>();

    /// <summary>Every tensor of <paramref name="layer"/>.</summary>
    public static IEnumerable<TensorPayload> Of(QuantizedLayer layer)
    {
        foreach (var (name, weight) in layer.Linears)
        {
            foreach (var payload in OfLinear(layer.Index, name, weight))
            {
                yield return payload;
            }
        }

        foreach (var (group, input) in layer.Inputs)
        {
            foreach (var modality in Modalities)
            {
                if (input.InverseSmoothing[(int)modality] is { Length: > 0 } factor)
                {
                    yield return TensorPayload.OfFloats(ArtifactNames.InverseSmoothing(layer.Index, group, modality), factor, factor.Length);
                }
            }

            if (input.RotationBlock > 0)
            {
                yield return TensorPayload.OfBytes(ArtifactNames.Rotation(layer.Index, group), DataType.U8, new[] { (byte)int.Log2(input.RotationBlock) }, 1);
            }

            if (input.Clips is { } clips)
            {
                yield return TensorPayload.OfFloats(ArtifactNames.Clips(layer.Index, group), clips.ToArray(), clips.Count);
            }
        }
    }

    /// <summary>The shape of the codes: panels, steps along K, outputs of a panel, bytes of a run (see <see cref="PackingLayout"/>).</summary>
    public static int[] CodesShape(int outputs, int inputs, QuantizationScheme scheme)
        => [outputs / PackingLayout.PanelOutputs, inputs * scheme.WeightBits / (8 * PackingLayout.RunInputs), PackingLayout.PanelOutputs, PackingLayout.RunInputs];

    /// <summary>The shape of scales and zero points.</summary>
    public static int[] ScalesShape(int outputs, int inputs, QuantizationScheme scheme)
        => scheme.HasZeroPoints ? [outputs, inputs / PackingLayout.GroupSize] : [outputs];

    /// <summary>The shape of second-level scales, in the order of the codes' panels.</summary>
    public static int[] GroupScalesShape(int outputs, int inputs)
        => [outputs / PackingLayout.PanelOutputs, inputs / PackingLayout.GroupSize, PackingLayout.PanelOutputs];

    /// <summary>Checks that every tensor of a layer that the manifest lists is there, in the right shape; reads headers alone.</summary>
    /// <exception cref="MASQuantException">MASQ0501 an impossible shape, MASQ0603 a missing or misshapen tensor.</exception>
    public static void Check(SafetensorsFile file, Manifest manifest, int layer, ManifestLinear linear)
    {
        var (name, outputs, inputs, scheme) = (linear.Name, linear.Outputs, linear.Inputs, linear.ParsedScheme);
        PackingLayout.CheckShape(ArtifactNames.Linear(layer, name), outputs, inputs, scheme);
        Require(file, ArtifactNames.Codes(layer, name), DataType.U8, CodesShape(outputs, inputs, scheme));
        Require(file, ArtifactNames.Scales(layer, name), DataType.F32, ScalesShape(outputs, inputs, scheme));
        if (scheme.HasZeroPoints)
        {
            Require(file, ArtifactNames.ZeroPoints(layer, name), DataType.U8, ScalesShape(outputs, inputs, scheme));
        }

        // Without them the codes would be read as if every group's scale were 1.
        if (scheme.SupportsGroupScales && manifest.Options.GetValueOrDefault(GroupSizeOption, "0") != "0")
        {
            Require(file, ArtifactNames.GroupScales(layer, name), DataType.U8, GroupScalesShape(outputs, inputs));
        }

        foreach (var modality in Modalities)
        {
            if (linear.Ranks.TryGetValue(modality.ToString(), out var rank))
            {
                Require(file, ArtifactNames.L1(layer, name, modality), DataType.F16, [inputs, rank]);
                Require(file, ArtifactNames.L2(layer, name, modality), DataType.F16, [rank, outputs]);
            }
        }
    }

    /// <summary>Reads a linear layer; codes and scales stay mapped.</summary>
    /// <exception cref="MASQuantException">MASQ0501 an impossible shape, MASQ0603 a missing, misshapen or out-of-range tensor.</exception>
    public static QuantizedWeight ReadLinear(SafetensorsFile file, int layer, string name, QuantizationScheme scheme, int outputs, int inputs)
    {
        PackingLayout.CheckShape(ArtifactNames.Linear(layer, name), outputs, inputs, scheme);
        var codes = Require(file, ArtifactNames.Codes(layer, name), DataType.U8, CodesShape(outputs, inputs, scheme));
        var scales = Require(file, ArtifactNames.Scales(layer, name), DataType.F32, ScalesShape(outputs, inputs, scheme));
        file.RequireFinite(scales);
        return new QuantizedWeight
        {
            Scheme = scheme,
            Outputs = outputs,
            Inputs = inputs,
            Codes = file.Bytes(codes.Name),
            Scales = file.Map<float>(scales.Name),
            ZeroPoints = scheme.HasZeroPoints ? ReadZeroPoints(file, ArtifactNames.ZeroPoints(layer, name), ScalesShape(outputs, inputs, scheme)) : default,
            GroupScales = ReadGroupScales(file, ArtifactNames.GroupScales(layer, name), scheme, outputs, inputs),
            Bias = file.TryGet(ArtifactNames.Bias(layer, name), out var bias) ? file.ReadFloats(bias.Name, outputs) : default,
            Patches = [.. Modalities.Select(modality => ReadPatch(file, layer, name, modality, outputs, inputs))],
        };
    }

    /// <summary>Reads what an input group of K inputs does to its input.</summary>
    /// <exception cref="MASQuantException">MASQ0108, MASQ0109: misshapen or not finite; MASQ0603: the rotation's blocks do not divide the inputs, or a clip is no share.</exception>
    public static InputTransform ReadInput(SafetensorsFile file, int layer, InputGroup group, int inputs) => new(
        [.. Modalities.Select(modality => ArtifactNames.InverseSmoothing(layer, group, modality)).Select(name => file.TryGet(name, out _) ? file.ReadFloats(name, inputs) : [])],
        ReadRotation(file, ArtifactNames.Rotation(layer, group), inputs))
    {
        Clips = ReadClips(file, ArtifactNames.Clips(layer, group)),
    };

    private static IEnumerable<TensorPayload> OfLinear(int layer, string name, QuantizedWeight weight)
    {
        PackingLayout.CheckShape(ArtifactNames.Linear(layer, name), weight.Outputs, weight.Inputs, weight.Scheme);
        yield return TensorPayload.OfBytes(ArtifactNames.Codes(layer, name), DataType.U8, weight.Codes, CodesShape(weight.Outputs, weight.Inputs, weight.Scheme));
        yield return TensorPayload.OfFloats(ArtifactNames.Scales(layer, name), weight.Scales, ScalesShape(weight.Outputs, weight.Inputs, weight.Scheme));
        if (weight.Scheme.HasZeroPoints)
        {
            yield return TensorPayload.OfBytes(ArtifactNames.ZeroPoints(layer, name), DataType.U8, weight.ZeroPoints, ScalesShape(weight.Outputs, weight.Inputs, weight.Scheme));
        }

        if (weight.HasGroupScales)
        {
            yield return TensorPayload.OfBytes(ArtifactNames.GroupScales(layer, name), DataType.U8, weight.GroupScales, GroupScalesShape(weight.Outputs, weight.Inputs));
        }

        if (!weight.Bias.IsEmpty)
        {
            yield return OfBias(ArtifactNames.Bias(layer, name), weight.Bias);
        }

        foreach (var modality in Modalities)
        {
            if (weight.Patches[(int)modality] is { } patch)
            {
                yield return TensorPayload.OfFloat16(ArtifactNames.L1(layer, name, modality), Values(patch.L1), weight.Inputs, patch.Rank);
                yield return TensorPayload.OfFloat16(ArtifactNames.L2(layer, name, modality), Values(patch.L2), patch.Rank, weight.Outputs);
            }
        }
    }

    // A bias that came as BF16 goes as BF16.
    private static TensorPayload OfBias(string name, ReadOnlyMemory<float> bias)
    {
        var rounded = bias.ToArray();
        BFloat16.Round(rounded);
        return rounded.AsSpan().SequenceEqual(bias.Span)
            ? TensorPayload.OfBFloat16(name, bias, bias.Length)
            : TensorPayload.OfFloats(name, bias, bias.Length);
    }

    private static ReadOnlyMemory<byte> ReadZeroPoints(SafetensorsFile file, string name, int[] shape)
    {
        var zeroPoints = file.Bytes(Require(file, name, DataType.U8, shape).Name);
        return zeroPoints.Span.IndexOfAnyExceptInRange(byte.MinValue, MaxZeroPoint) < 0
            ? zeroPoints
            : throw Invalid(file, $"Tensor '{name}' holds a zero point above {MaxZeroPoint}.");
    }

    // Stored as log₂ of the block.
    private static int ReadRotation(SafetensorsFile file, string name, int inputs)
    {
        if (!file.TryGet(name, out _))
        {
            return 0;
        }

        var exponent = file.Bytes(Require(file, name, DataType.U8, [1]).Name).Span[0];
        return exponent < 31 && inputs % (1 << exponent) == 0
            ? 1 << exponent
            : throw Invalid(file, $"Tensor '{name}' calls for blocks of 2^{exponent} inputs, which do not divide {inputs}.");
    }

    private static IReadOnlyList<float>? ReadClips(SafetensorsFile file, string name)
    {
        if (!file.TryGet(name, out _))
        {
            return null;
        }

        var clips = file.ReadFloats(name, ModalityMap.ModalityCount);
        return clips.All(clip => clip is > 0 and <= 1)
            ? clips
            : throw Invalid(file, $"Tensor '{name}' holds a share outside 0…1.");
    }

    // Out of range, a product of code and scale would leave 8 bits.
    private static ReadOnlyMemory<byte> ReadGroupScales(SafetensorsFile file, string name, QuantizationScheme scheme, int outputs, int inputs)
    {
        if (!file.TryGet(name, out _))
        {
            return default;
        }

        if (!scheme.SupportsGroupScales || inputs % PackingLayout.GroupSize != 0)
        {
            throw Invalid(file, $"Tensor '{name}' belongs to 4-bit weights with quantized activations and inputs in multiples of {PackingLayout.GroupSize}; its layer is {scheme} with {inputs}.");
        }

        var scales = file.Bytes(Require(file, name, DataType.U8, GroupScalesShape(outputs, inputs)).Name);
        return scales.Span.IndexOfAnyExceptInRange((byte)1, (byte)PackingLayout.MaxGroupScale) < 0
            ? scales
            : throw Invalid(file, $"Tensor '{name}' holds a scale outside 1…{PackingLayout.MaxGroupScale}.");
    }

    private static LowRankFactors? ReadPatch(SafetensorsFile file, int layer, string name, Modality modality, int outputs, int inputs)
    {
        if (!file.TryGet(ArtifactNames.L1(layer, name, modality), out var l1))
        {
            return null;
        }

        var rank = l1.Shape is [_, var columns] && columns > 0 ? columns : throw Invalid(file, $"Tensor '{l1.Name}' is no matrix.");
        return new LowRankFactors(file.ReadMatrix(l1.Name, inputs, rank), file.ReadMatrix(ArtifactNames.L2(layer, name, modality), rank, outputs));
    }

    private static TensorInfo Require(SafetensorsFile file, string name, DataType type, int[] shape)
    {
        if (!file.TryGet(name, out var tensor))
        {
            throw Invalid(file, $"Tensor '{name}' is missing.");
        }

        return tensor.Type == type && tensor.Shape.SequenceEqual(shape)
            ? tensor
            : throw Invalid(file, $"Tensor '{name}' is {tensor.Type.FileName()} [{string.Join(", ", tensor.Shape)}]; the manifest calls for {type.FileName()} [{string.Join(", ", shape)}].");
    }

    private static MASQuantException Invalid(SafetensorsFile file, string message)
        => new(DiagnosticCodes.ArtifactInvalid, file.Path, $"{message} Quantize the model again.");

    private static ReadOnlyMemory<float> Values(Matrix matrix) => matrix.Data.AsMemory(0, matrix.Rows * matrix.Columns);
}
