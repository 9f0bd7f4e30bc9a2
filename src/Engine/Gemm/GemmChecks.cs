using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm;

/// <summary>What a caller of quantized layers must hold to, checked the same way wherever they run: kernels read memory without looking.</summary>
public static class GemmChecks
{
    private const string WrongInputs = "The tokens do not have the weight's number of inputs.";
    private const string WrongOutputs = "The output does not have the shape of the product.";

    /// <summary>Refuses inputs of <see cref="IGemmBackend.Prepare(Matrix, ModalityMap, InputTransform, QuantizationScheme, PreparedTokens)"/> that do not fit each other.</summary>
    public static void Input(Matrix x, ModalityMap modalities, InputTransform input)
    {
        Input(x, modalities, x.Columns);
        Transform(input, x.Columns);
    }

    /// <summary>Refuses activations that are not [M, <paramref name="inputs"/>] with M modalities.</summary>
    public static void Input(Matrix x, ModalityMap modalities, int inputs)
    {
        Check(x.Columns == inputs, WrongInputs);
        Check(modalities.Count == x.Rows, "The number of modalities is not the number of tokens.");
    }

    /// <summary>Refuses activations that are not M times <paramref name="inputs"/> values, with M modalities.</summary>
    public static void Input(int values, int inputs, ModalityMap modalities)
        => Check(values == (long)modalities.Count * inputs, "The activations are not as many as the modalities' tokens have inputs.");

    /// <summary>Refuses operands of <see cref="IGemmBackend.Multiply(PreparedTokens, QuantizedWeight, Matrix)"/> that do not fit each other.</summary>
    public static void Output(PreparedTokens tokens, QuantizedWeight weight, Matrix y)
    {
        Output(y, tokens.Tokens, weight.Outputs);
        Product(tokens, weight);
    }

    /// <summary>Refuses an output that is not [<paramref name="tokens"/>, <paramref name="outputs"/>].</summary>
    public static void Output(Matrix y, int tokens, int outputs)
        => Check(y.Rows == tokens && y.Columns == outputs, WrongOutputs);

    /// <summary>Refuses an output that is not <paramref name="tokens"/> times <paramref name="outputs"/> values.</summary>
    public static void Output(int values, int tokens, int outputs) => Check(values == (long)tokens * outputs, WrongOutputs);

    /// <summary>Refuses tokens and a weight that do not fit each other.</summary>
    public static void Product(PreparedTokens tokens, QuantizedWeight weight)
    {
        Check(tokens.Inputs == weight.Inputs, WrongInputs);
        Weight(weight);
    }

    /// <summary>Refuses weights that do not share their input, and what prepares another one.</summary>
    public static void Group(IReadOnlyList<QuantizedWeight> weights, InputTransform input)
    {
        Check(weights.Count > 0, "An input group has no layers.");
        foreach (var weight in weights)
        {
            Weight(weight);
            Check((weight.Inputs, weight.Scheme) == (weights[0].Inputs, weights[0].Scheme), "The layers of an input group share K and scheme.");
        }

        Transform(input, weights[0].Inputs);
    }

    /// <summary>Refuses a weight whose parts do not have the sizes that its shape asks for.</summary>
    public static void Weight(QuantizedWeight weight)
    {
        PackingLayout.CheckShape("weight", weight.Outputs, weight.Inputs, weight.Scheme);
        var groups = weight.Scheme.HasZeroPoints ? weight.Inputs / PackingLayout.GroupSize : 1;
        Check(weight.Codes.Length == PackingLayout.PackedBytes(weight.Outputs, weight.Inputs, weight.Scheme.WeightBits), "The codes do not fill the shape.");
        Check(weight.Scales.Length == (long)weight.Outputs * groups, "The number of scales does not fit the shape.");
        Check(weight.ZeroPoints.Length == (weight.Scheme.HasZeroPoints ? weight.Scales.Length : 0), "The number of zero points does not fit the shape.");
        Check(!weight.HasGroupScales || (weight.Scheme.SupportsGroupScales && weight.Inputs % PackingLayout.GroupSize == 0
            && weight.GroupScales.Length == (long)weight.Outputs * weight.Inputs / PackingLayout.GroupSize), "The number of second-level scales does not fit scheme and shape.");
        Check(weight.Bias.IsEmpty || weight.Bias.Length == weight.Outputs, "The number of biases does not fit the shape.");
        Check(weight.Patches.Length == ModalityMap.ModalityCount && weight.Patches[(int)Modality.Text] is null, "Text has a patch, or a modality has no entry.");
        foreach (var patch in weight.Patches)
        {
            Check(patch is null || (patch.L1.Rows == weight.Inputs && patch.L2.Columns == weight.Outputs && patch.L2.Rows == patch.Rank),
                "The factors of a patch do not fit the shape.");
        }
    }

    /// <summary>Refuses what cannot prepare <paramref name="inputs"/> values of a token.</summary>
    public static void Transform(InputTransform input, int inputs)
    {
        Check(input.RotationBlock == 0 || (int.IsPow2(input.RotationBlock) && inputs % input.RotationBlock == 0), "The rotation's block is no power of two that divides the inputs.");
        Check(input.InverseSmoothing.Count == ModalityMap.ModalityCount && (input.Clips is null || input.Clips.Count == ModalityMap.ModalityCount), "There must be one smoothing factor and one clip per modality.");
        for (var i = 0; i < input.InverseSmoothing.Count; i++)
        {
            var factor = input.InverseSmoothing[i];
            Check(factor.Length == 0 || factor.Length == inputs, "The values of a smoothing factor are not as many as the inputs.");
            Check(input.ClipOf((Modality)i) is > 0 and <= 1, "A clip is no share of a range.");
        }
    }

    private static void Check(bool holds, string message)
    {
        if (!holds)
        {
            throw new ArgumentException(message);
        }
    }
}
