namespace MASQuant.Formats.Safetensors;

/// <summary>Conversion of FP32 to FP16, rounding to nearest, ties to even; what is beyond its range becomes its largest value.</summary>
public static class Float16
{
    private static readonly float Largest = (float)Half.MaxValue;

    /// <summary>The FP16 values nearest to <paramref name="source"/>.</summary>
    public static void Narrow(ReadOnlySpan<float> source, Span<Half> destination)
    {
        for (var i = 0; i < source.Length; i++)
        {
            destination[i] = FromSingle(source[i]);
        }
    }

    /// <summary>Replaces every value by the FP16 value nearest to it.</summary>
    public static void Round(Span<float> values)
    {
        foreach (ref var value in values)
        {
            value = (float)FromSingle(value);
        }
    }

    private static Half FromSingle(float value) => (Half)Math.Clamp(value, -Largest, Largest);
}
