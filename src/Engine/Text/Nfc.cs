using System.Text;

namespace MASQuant.Engine.Text;

/// <summary>
/// Unicode normalization form C (UAX #15). <see cref="string.Normalize()"/> returns its input unchanged in applications that set
/// <c>InvariantGlobalization</c>, which would change token ids silently; this is the same everywhere.
/// </summary>
internal static class Nfc
{
    /// <summary>Texts of characters below it stay as they are.</summary>
    public const char FirstAffected = '\u0300';

    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28;
    private const int HangulCount = LeadCount * VowelCount * TrailCount;

    /// <summary>Normalizes <paramref name="text"/>; a surrogate without its partner becomes U+FFFD.</summary>
    public static string Normalize(string text)
    {
        // Below U+0300 nothing decomposes into what composes otherwise, and nothing composes.
        if (!text.AsSpan().ContainsAnyInRange(FirstAffected, char.MaxValue))
        {
            return text;
        }

        var decomposed = new List<int>(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, decomposed);
        }

        Reorder(decomposed);
        return Compose(decomposed);
    }

    private static void Decompose(int codePoint, List<int> output)
    {
        if (codePoint < 0xC0)
        {
            output.Add(codePoint);
        }
        else if ((uint)(codePoint - HangulBase) < HangulCount)
        {
            var index = codePoint - HangulBase;
            output.Add(LeadBase + (index / (VowelCount * TrailCount)));
            output.Add(VowelBase + (index % (VowelCount * TrailCount) / TrailCount));
            if (index % TrailCount != 0)
            {
                output.Add(TrailBase + (index % TrailCount));
            }
        }
        else if (NormalizationData.Decompositions.TryGetValue(codePoint, out var parts))
        {
            // A second part never decomposes further.
            Decompose(parts.First, output);
            if (parts.Second != 0)
            {
                output.Add(parts.Second);
            }
        }
        else
        {
            output.Add(codePoint);
        }
    }

    // Sorts every run of combining marks by class; marks of one class keep their order.
    private static void Reorder(List<int> codePoints)
    {
        for (var start = 0; start < codePoints.Count; start++)
        {
            if (NormalizationData.Class(codePoints[start]) == 0)
            {
                continue;
            }

            var end = start + 1;
            while (end < codePoints.Count && NormalizationData.Class(codePoints[end]) != 0)
            {
                end++;
            }

            if (end - start > 1)
            {
                var run = codePoints.GetRange(start, end - start).OrderBy(NormalizationData.Class).ToList();
                for (var i = 0; i < run.Count; i++)
                {
                    codePoints[start + i] = run[i];
                }
            }

            start = end;
        }
    }

    private static string Compose(List<int> codePoints)
    {
        var count = 0;
        var starter = -1;
        var lastClass = -1;
        for (var read = 0; read < codePoints.Count; read++)
        {
            var codePoint = codePoints[read];
            var combiningClass = NormalizationData.Class(codePoint);
            // A mark is blocked from the starter by one of its own or a higher class between them, and a starter by any mark.
            if (starter >= 0 && lastClass < combiningClass && TryCompose(codePoints[starter], codePoint, out var composite))
            {
                codePoints[starter] = composite;
                continue;
            }

            if (combiningClass == 0)
            {
                starter = count;
                lastClass = -1;
            }
            else
            {
                lastClass = combiningClass;
            }

            codePoints[count++] = codePoint;
        }

        var text = new StringBuilder(count);
        for (var i = 0; i < count; i++)
        {
            text.Append(new Rune(codePoints[i]));
        }

        return text.ToString();
    }

    private static bool TryCompose(int first, int second, out int composite)
    {
        if ((uint)(first - LeadBase) < LeadCount && (uint)(second - VowelBase) < VowelCount)
        {
            composite = HangulBase + ((((first - LeadBase) * VowelCount) + second - VowelBase) * TrailCount);
            return true;
        }

        if ((uint)(first - HangulBase) < HangulCount && (first - HangulBase) % TrailCount == 0 && (uint)(second - TrailBase - 1) < TrailCount - 1)
        {
            composite = first + second - TrailBase;
            return true;
        }

        return NormalizationData.Compositions.TryGetValue((first, second), out composite);
    }
}
