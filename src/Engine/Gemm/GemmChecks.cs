using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm;

/// <summary>What a caller of <see cref="IGemmBackend"/> must hold to, checked the same way by every backend: kernels read memory without looking.</summary>
public static class GemmChecks
{
    /// <summary>Refuses inputs of <see cref="IGemmBackend.Prepare"/> that do not fit each other.</summary>
    public static void Input(Matrix x, ModalityMap modalities, IReadOnlyList<float[]> inverseSmoothing)
    {
        Check(modalities.Count == x.Rows, "The number of modalities is not the number of tokens.");
        Check(inverseSmoothing.Count == ModalityMap.ModalityCount, "There must be one smoothing factor per modality.");
        for (var i = 0; i < inverseSmoothing.Count; i++)
        {
            var factor = inverseSmoothing[i];
            Check(factor.Length == 0 || factor.Length == x.Columns, "The values of a smoothing factor are not as many as the inputs.");
        }
    }

    /// <summary>Refuses operands of <see cref="IGemmBackend.Multiply"/> that do not fit each other.</summary>
    public static void Output(PreparedTokens tokens, QuantizedWeight weight, Matrix y)
    {
        Check(tokens.Inputs == weight.Inputs, "The tokens do not have the weight's number of inputs.");
        Check(y.Rows == tokens.Tokens && y.Columns == weight.Outputs,
            "The output does not have the shape of the product.");
        Weight(weight);
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
        Check(weight.RotationBlock == 0 || (int.IsPow2(weight.RotationBlock) && weight.Inputs % weight.RotationBlock == 0), "The rotation's block is no power of two that divides the inputs.");
        Check(weight.Bias.IsEmpty || weight.Bias.Length == weight.Outputs, "The number of biases does not fit the shape.");
        Check(weight.Patches.Length == ModalityMap.ModalityCount && weight.Patches[(int)Modality.Text] is null, "Text has a patch, or a modality has no entry.");
        foreach (var patch in weight.Patches)
        {
            Check(patch is null || (patch.L1.Rows == weight.Inputs && patch.L2.Columns == weight.Outputs && patch.L2.Rows == patch.Rank),
                "The factors of a patch do not fit the shape.");
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
