using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm;

/// <summary>The definition of the quantized linear layer, as plain loops. Slow; every other backend equals it bit for bit.</summary>
/// <remarks>
/// Integer products are exact, so their order is free. Everything in FP32 is rounded where it is written here:
/// A weight's code is the stored one, times its group's scale where there are second-level scales.
/// <c>y = float(Σ codes) · (token scale · weight scale)</c>, then <c>+ bias</c>, then <c>+ Σ_r t[r]·L2[r, n]</c>;
/// sums of FP32 products follow <see cref="FloatGemmReference"/>.
/// </remarks>
public sealed class ScalarGemmBackend : IGemmBackend
{
    /// <summary>A token whose largest magnitude is below this counts as zero: the reciprocal of its scale would not be finite.</summary>
    internal const float SmallestMagnitude = 1e-30f;

    /// <inheritdoc/>
    public void Prepare(Matrix x, ModalityMap modalities, InputTransform input, QuantizationScheme scheme, PreparedTokens tokens)
    {
        GemmChecks.Input(x, modalities, input);
        tokens.Reset(x.Rows, x.Columns, modalities);
        for (var m = 0; m < x.Rows; m++)
        {
            var smoothed = tokens.Smoothed.Row(m);
            Smooth(x.Row(m), input.InverseSmoothing[(int)modalities[m]], smoothed);
            Rotate(smoothed, input.RotationBlock);
            if (scheme.QuantizesActivations)
            {
                tokens.Scales[m] = Quantize(smoothed, scheme.ActivationMax, input.ClipOf(modalities[m]), tokens.Codes.AsSpan(m * x.Columns, x.Columns));
            }
        }
    }

    /// <inheritdoc/>
    public void Multiply(PreparedTokens tokens, QuantizedWeight weight, Matrix y)
    {
        GemmChecks.Output(tokens, weight, y);
        if (weight.Scheme.QuantizesActivations)
        {
            MultiplyCodes(tokens, weight, y);
        }
        else
        {
            MultiplyGroups(tokens, weight, y);
        }

        AddBias(weight, y);
        AddPatches(tokens, weight, y);
    }

    /// <summary>x · (1/s), one rounding.</summary>
    private static void Smooth(ReadOnlySpan<float> x, ReadOnlySpan<float> inverse, Span<float> smoothed)
    {
        for (var k = 0; k < x.Length; k++)
        {
            smoothed[k] = inverse.IsEmpty ? x[k] : x[k] * inverse[k];
        }
    }

    /// <summary>Blocks of a Hadamard matrix as butterflies, of neighbours first, then of values 2, 4, … apart; the scale, 1/√block rounded, last.</summary>
    private static void Rotate(Span<float> values, int block)
    {
        for (var half = 1; half < block; half *= 2)
        {
            for (var k = 0; k < values.Length; k++)
            {
                if ((k & half) == 0)
                {
                    (values[k], values[k + half]) = (values[k] + values[k + half], values[k] - values[k + half]);
                }
            }
        }

        var scale = (float)(1 / Math.Sqrt(block));
        for (var k = 0; k < values.Length && block > 0; k++)
        {
            values[k] *= scale;
        }
    }

    /// <summary>Symmetric, per token: range = absmax · clip, scale = range/qmax, code = round-half-even(value · (qmax/range)) within ±qmax. A token with a value that is not finite gets the scale NaN and codes 0, so that its outputs are NaN.</summary>
    private static float Quantize(ReadOnlySpan<float> values, int max, float clip, Span<sbyte> codes)
    {
        var absmax = 0f;
        foreach (var value in values)
        {
            absmax = MathF.Max(absmax, MathF.Abs(value)); // NaN wins.
        }

        if (!float.IsFinite(absmax) || absmax < SmallestMagnitude)
        {
            codes.Clear();
            return float.IsFinite(absmax) ? 0f : float.NaN;
        }

        var range = absmax * clip;
        var inverse = max / range;
        for (var k = 0; k < values.Length; k++)
        {
            codes[k] = (sbyte)Math.Clamp((int)MathF.Round(values[k] * inverse, MidpointRounding.ToEven), -max, max);
        }

        return range / max;
    }

    private static void MultiplyCodes(PreparedTokens tokens, QuantizedWeight weight, Matrix y)
    {
        var codes = PackingLayout.Unpack(weight.Codes.Span, weight.Outputs, weight.Inputs, weight.Scheme.WeightBits);
        for (var i = 0; i < codes.Length && weight.HasGroupScales; i++)
        {
            codes[i] = (sbyte)(codes[i] * weight.GroupScales.Span[PackingLayout.GroupScaleIndex(i / weight.Inputs, i % weight.Inputs, weight.Inputs)]);
        }

        for (var m = 0; m < tokens.Tokens; m++)
        {
            var token = tokens.Codes.AsSpan(m * tokens.Inputs, tokens.Inputs);
            for (var n = 0; n < weight.Outputs; n++)
            {
                var row = codes.AsSpan(n * weight.Inputs, weight.Inputs);
                var sum = 0; // At most 127 · 128 · PackingLayout.MaxInputs: never overflows.
                for (var k = 0; k < token.Length; k++)
                {
                    sum += token[k] * row[k];
                }

                y[m, n] = sum * (tokens.Scales[m] * weight.Scales.Span[n]);
            }
        }
    }

    /// <summary>W4A16: weights become FP32, (code − zero point) · scale with one rounding; then an FP32 product.</summary>
    private static void MultiplyGroups(PreparedTokens tokens, QuantizedWeight weight, Matrix y)
    {
        var groups = weight.Inputs / PackingLayout.GroupSize;
        var row = new float[weight.Inputs];
        for (var n = 0; n < weight.Outputs; n++)
        {
            for (var k = 0; k < row.Length; k++)
            {
                var group = (n * groups) + (k / PackingLayout.GroupSize);
                var code = PackingLayout.Code(weight.Codes.Span, n, k, weight.Inputs, 4, unsigned: true);
                row[k] = (code - weight.ZeroPoints.Span[group]) * weight.Scales.Span[group];
            }

            for (var m = 0; m < tokens.Tokens; m++)
            {
                y[m, n] = FloatGemmReference.Dot(tokens.Smoothed.Row(m), row);
            }
        }
    }

    private static void AddBias(QuantizedWeight weight, Matrix y)
    {
        for (var m = 0; m < y.Rows && !weight.Bias.IsEmpty; m++)
        {
            for (var n = 0; n < y.Columns; n++)
            {
                y[m, n] += weight.Bias.Span[n];
            }
        }
    }

    /// <summary>t = smoothed · L1, then y += t · L2, for the tokens whose modality has a patch.</summary>
    private static void AddPatches(PreparedTokens tokens, QuantizedWeight weight, Matrix y)
    {
        for (var m = 0; m < tokens.Tokens; m++)
        {
            if (weight.Patches[(int)tokens.Modalities[m]] is not { Rank: > 0 } patch)
            {
                continue;
            }

            var t = new float[patch.Rank];
            FloatGemmReference.Multiply(1, patch.Rank, weight.Inputs, tokens.Smoothed.Row(m), weight.Inputs, 1, patch.L1.Span, 1, patch.Rank, t, patch.Rank);
            FloatGemmReference.Multiply(1, y.Columns, patch.Rank, t, patch.Rank, 1, patch.L2.Span, 1, y.Columns, y.Row(m), y.Columns, accumulate: true);
        }
    }
}
