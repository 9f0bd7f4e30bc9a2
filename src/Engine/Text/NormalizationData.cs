using System.Globalization;

namespace MASQuant.Engine.Text;

/// <summary>The tables behind <see cref="Nfc"/>, read once from the embedded <c>Unicode/Normalization.txt</c>.</summary>
internal static class NormalizationData
{
    private static readonly Dictionary<int, byte> Classes = [];

    static NormalizationData()
    {
        using var stream = typeof(NormalizationData).Assembly.GetManifestResourceStream("Normalization.txt")!;
        using var reader = new StreamReader(stream);
        Span<Range> fields = stackalloc Range[4];
        while (reader.ReadLine() is { } line)
        {
            var count = line.AsSpan().Split(fields, ' ');
            switch (line[0])
            {
                case 'P' or 'D':
                    var (code, first) = (Hex(line[fields[1]]), Hex(line[fields[2]]));
                    var second = count > 3 ? Hex(line[fields[3]]) : 0;
                    Decompositions.Add(code, (first, second));
                    if (line[0] == 'P')
                    {
                        Compositions.Add((first, second), code);
                    }

                    break;
                case 'C':
                    var last = Hex(line[fields[2]]);
                    for (var mark = Hex(line[fields[1]]); mark <= last; mark++)
                    {
                        Classes.Add(mark, byte.Parse(line[fields[3]], CultureInfo.InvariantCulture));
                    }

                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>The canonical decomposition of a code point; the second part is 0 for a singleton.</summary>
    public static Dictionary<int, (int First, int Second)> Decompositions { get; } = [];

    /// <summary>The primary composite of two code points.</summary>
    public static Dictionary<(int First, int Second), int> Compositions { get; } = [];

    /// <summary>The canonical combining class; 0 for a starter.</summary>
    public static int Class(int codePoint) => codePoint < 0x300 ? 0 : Classes.GetValueOrDefault(codePoint);

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
