using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Smoothing;

/// <summary><see cref="FakeQuantizer"/>'s counterpart for W4A16: asymmetric, one scale and zero point for each <see cref="PackingLayout.GroupSize"/> inputs, the range widened to hold 0.</summary>
internal static class GroupFakeQuantizer
{
    private const int Steps = 15;

    /// <summary>v̂ of a whole row.</summary>
    public static void Round(ReadOnlySpan<float> values, Span<float> rounded)
    {
        for (var start = 0; start < values.Length; start += PackingLayout.GroupSize)
        {
            var group = values.Slice(start, Math.Min(PackingLayout.GroupSize, values.Length - start));
            var (low, high) = Range(group);
            var scale = (Value(group, high) - Value(group, low)) / Steps;
            var zero = scale == 0 ? 0 : MathF.Round(-Value(group, low) / scale);
            for (var k = 0; k < group.Length; k++)
            {
                rounded[start + k] = scale == 0 ? 0 : (Math.Clamp(MathF.Round(group[k] / scale) + zero, 0, Steps) - zero) * scale;
            }
        }
    }

    /// <summary>Adds to <paramref name="gradient"/> (on entry ∂loss/∂v̂) what reaches each group's lowest and highest entry through the scale.</summary>
    public static void AddScaleGradient(ReadOnlySpan<float> values, ReadOnlySpan<float> rounded, Span<float> gradient)
    {
        for (var start = 0; start < values.Length; start += PackingLayout.GroupSize)
        {
            var count = Math.Min(PackingLayout.GroupSize, values.Length - start);
            var group = values.Slice(start, count);
            var (low, high) = Range(group);
            var width = Value(group, high) - Value(group, low);
            if (width == 0)
            {
                continue;
            }

            var perWidth = FakeQuantizer.OffsetGradient(group, rounded.Slice(start, count), gradient.Slice(start, count)) / width;
            if (high >= 0)
            {
                gradient[start + high] += perWidth;
            }

            if (low >= 0)
            {
                gradient[start + low] -= perWidth;
            }
        }
    }

    // The index −1 stands for the 0 that every range holds.
    private static float Value(ReadOnlySpan<float> group, int index) => index < 0 ? 0 : group[index];

    private static (int Low, int High) Range(ReadOnlySpan<float> group)
    {
        int low = -1, high = -1;
        for (var k = 0; k < group.Length; k++)
        {
            low = group[k] < Value(group, low) ? k : low;
            high = group[k] > Value(group, high) ? k : high;
        }

        return (low, high);
    }
}
