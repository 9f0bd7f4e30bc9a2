using MASQuant.Diagnostics;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Formats.Models;

/// <summary>A matrix [N, K] of the embedding, the head or a tower at 8 bits, or of the head that guesses ahead at 4: <c>NAME.codes</c> in the kernels' order, filled up with zeros to whole panels, and <c>NAME.scales</c>, one a row, in place of <c>NAME.weight</c>. Where there is <c>NAME.rotation</c>, the codes are those of W·H. <c>docs/artifact-format.md</c> specifies it.</summary>
/// <param name="Weight">[N, K], both filled up; its codes stay mapped.</param>
/// <param name="RotationBlock">H is block-diagonal of normalized Sylvester–Hadamard matrices of so many inputs; 0: no rotation.</param>
public sealed record CodedMatrix(QuantizedWeight Weight, int RotationBlock)
{
    /// <summary>How the name of a tensor of codes ends.</summary>
    public const string CodesSuffix = ".codes";

    private const string WeightSuffix = ".weight";

    /// <summary>The tensor of the codes of <paramref name="weight"/>, which ends in <c>.weight</c>.</summary>
    public static string Codes(string weight) => Stem(weight) + CodesSuffix;

    /// <summary>The tensor of the scales of <paramref name="weight"/>.</summary>
    public static string Scales(string weight) => Stem(weight) + ".scales";

    /// <summary>The tensor of the rotation of <paramref name="weight"/>.</summary>
    public static string Rotation(string weight) => Stem(weight) + ".rotation";

    /// <summary>N, filled up to whole panels.</summary>
    public static int PaddedOutputs(int outputs) => Pad(outputs, PackingLayout.PanelOutputs);

    /// <summary>K, filled up to what the codes come in.</summary>
    public static int PaddedInputs(int inputs) => Pad(inputs, PackingLayout.InputMultiple);

    /// <summary>The bytes of codes, scales and rotation.</summary>
    public static long Bytes(int outputs, int inputs, int bits = 8) => ((long)PaddedOutputs(outputs) * ((PaddedInputs(inputs) * bits / 8) + sizeof(float))) + 1;

    /// <summary>The shape of the codes.</summary>
    public static int[] CodesShape(int outputs, int inputs, int bits = 8)
        => [PaddedOutputs(outputs) / PackingLayout.PanelOutputs, PaddedInputs(inputs) * bits / 8 / PackingLayout.RunInputs, PackingLayout.PanelOutputs, PackingLayout.RunInputs];

    /// <summary>Whether the kernels take a matrix so: as many inputs as their sums hold, and codes that one span holds.</summary>
    public static bool Fits(int outputs, int inputs)
        => outputs > 0 && inputs is > 0 and <= PackingLayout.MaxInputs && outputs <= Array.MaxLength - PackingLayout.PanelOutputs && (long)PaddedOutputs(outputs) * PaddedInputs(inputs) <= Array.MaxLength;

    /// <summary>Whether a source has codes of <paramref name="weight"/>.</summary>
    public static bool IsStored(ITensorSource source, string weight) => weight.EndsWith(WeightSuffix, StringComparison.Ordinal) && source.TryGet(Codes(weight), out _);

    /// <summary>Reads a matrix, whose codes stay mapped; null where the source has it otherwise.</summary>
    /// <param name="source">Must outlive the result.</param>
    /// <param name="weight">The name of the matrix.</param>
    /// <param name="outputs">N.</param>
    /// <param name="inputs">K.</param>
    /// <param name="bits">Of a code: 8 or 4.</param>
    /// <exception cref="MASQuantException">MASQ0603: a tensor of another shape or type, or an impossible rotation; MASQ0107, MASQ0109: the scales are missing or not finite.</exception>
    public static CodedMatrix? TryRead(ITensorSource source, string weight, int outputs, int inputs, int bits = 8)
    {
        if (!IsStored(source, weight))
        {
            return null;
        }

        var (codes, shape) = (source.Find(Codes(weight)), CodesShape(outputs, inputs, bits));
        if (!Fits(outputs, inputs) || codes.Type != DataType.U8 || !codes.Shape.SequenceEqual(shape))
        {
            throw Invalid(source, $"Tensor '{codes.Name}' is {codes.Type.FileName()} [{string.Join(", ", codes.Shape)}]; the model calls for {DataType.U8.FileName()} [{string.Join(", ", shape)}].");
        }

        var stored = new QuantizedWeight
        {
            Scheme = bits == 8 ? QuantizationScheme.W8A8 : QuantizationScheme.W4A8,
            Outputs = PaddedOutputs(outputs),
            Inputs = PaddedInputs(inputs),
            Codes = source.Bytes(codes.Name),
            Scales = source.ReadFloats(Scales(weight), PaddedOutputs(outputs)),
        };
        return new CodedMatrix(stored, ReadRotation(source, Rotation(weight), stored.Inputs));
    }

    // Stored as log₂ of the block.
    private static int ReadRotation(ITensorSource source, string name, int inputs)
    {
        if (!source.TryGet(name, out var tensor))
        {
            return 0;
        }

        var exponent = tensor.Type == DataType.U8 && tensor.Shape.SequenceEqual([1]) ? source.Bytes(name).Span[0] : byte.MaxValue;
        return exponent < 31 && inputs % (1 << exponent) == 0
            ? 1 << exponent
            : throw Invalid(source, $"Tensor '{name}' is no logarithm of a block that divides {inputs} inputs.");
    }

    private static MASQuantException Invalid(ITensorSource source, string message) => new(DiagnosticCodes.ArtifactInvalid, source.Path, $"{message} Quantize the model again.");

    private static string Stem(string weight)
        => weight.EndsWith(WeightSuffix, StringComparison.Ordinal) ? weight[..^WeightSuffix.Length] : throw new ArgumentException($"'{weight}' does not end in '{WeightSuffix}'.", nameof(weight));

    private static int Pad(int extent, int multiple) => checked((extent + multiple - 1) / multiple * multiple);
}
