using System.Runtime.Intrinsics;

namespace MASQuant.Engine.Layers;

/// <summary>16 values at a time on every machine (the JIT splits or scalarizes where it must), so that reductions have one order whatever the hardware's vector width.</summary>
internal static class Lanes
{
    /// <summary>The number of lanes.</summary>
    public const int Count = 16;

    /// <summary>The values from <paramref name="start"/> on; lanes past the end hold <paramref name="fill"/>.</summary>
    public static Vector512<float> Load(ReadOnlySpan<float> values, int start, float fill = 0f)
    {
        var rest = values[start..];
        return rest.Length >= Count ? Vector512.Create(rest) : LoadPart(rest, fill);
    }

    /// <summary>Writes the lanes from <paramref name="start"/> on; lanes past the end are dropped.</summary>
    public static void Store(Vector512<float> lanes, Span<float> values, int start)
    {
        var rest = values[start..];
        if (rest.Length >= Count)
        {
            lanes.CopyTo(rest);
        }
        else
        {
            StorePart(lanes, rest);
        }
    }

    /// <summary>The sum of all lanes, as a tree: halves onto each other until one lane is left.</summary>
    public static float Sum(Vector512<float> lanes)
    {
        var eight = lanes.GetLower() + lanes.GetUpper();
        var four = eight.GetLower() + eight.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }

    /// <summary>The largest lane; NaN when a lane is NaN.</summary>
    public static float Max(Vector512<float> lanes)
    {
        var eight = Vector256.Max(lanes.GetLower(), lanes.GetUpper());
        var four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        return MathF.Max(MathF.Max(four[0], four[2]), MathF.Max(four[1], four[3]));
    }

    private static Vector512<float> LoadPart(ReadOnlySpan<float> rest, float fill)
    {
        Span<float> lanes = stackalloc float[Count];
        lanes.Fill(fill);
        rest.CopyTo(lanes);
        return Vector512.Create<float>(lanes);
    }

    private static void StorePart(Vector512<float> lanes, Span<float> rest)
    {
        Span<float> values = stackalloc float[Count];
        lanes.CopyTo(values);
        values[..rest.Length].CopyTo(rest);
    }
}
