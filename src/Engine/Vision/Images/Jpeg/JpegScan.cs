namespace MASQuant.Engine.Vision.Images.Jpeg;

/// <summary>A scan header: which components and coefficients follow, and with which codes.</summary>
internal sealed class JpegScan
{
    private const int MaxBlocksPerMcu = 10;
    private const int MaxShift = 13;

    private JpegScan(JpegComponent[] components, HuffmanTable?[] dc, HuffmanTable?[] ac, int first, int last, int high, int low) =>
        (Components, Dc, Ac, First, Last, High, Low) = (components, dc, ac, first, last, high, low);

    /// <summary>The components, interleaved when there are several.</summary>
    public JpegComponent[] Components { get; }

    /// <summary>Each component's codes of DC differences, where the scan needs them.</summary>
    public HuffmanTable?[] Dc { get; }

    /// <summary>Each component's codes of AC coefficients, where the scan needs them.</summary>
    public HuffmanTable?[] Ac { get; }

    /// <summary>Ss: the first coefficient, in zigzag order.</summary>
    public int First { get; }

    /// <summary>Se: the last coefficient.</summary>
    public int Last { get; }

    /// <summary>Ah: the bit down to which the coefficients were known, or 0 in a first scan.</summary>
    public int High { get; }

    /// <summary>Al: the bit down to which they are known after the scan.</summary>
    public int Low { get; }

    /// <summary>Reads and checks a header, and notes what its scan brings.</summary>
    public static JpegScan Parse(JpegReader segment, JpegFrame frame, HuffmanTable?[] dcTables, HuffmanTable?[] acTables)
    {
        var count = segment.ReadByte();
        var components = new JpegComponent[count];
        var (dc, ac) = (new HuffmanTable?[count], new HuffmanTable?[count]);
        for (var i = 0; i < count; i++)
        {
            var id = segment.ReadByte();
            components[i] = frame.Components.FirstOrDefault(c => c.Id == id) ?? throw new InvalidDataException($"a JPEG scan names the unknown component {id}");
            var (dcIndex, acIndex) = segment.ReadNibbles();
            (dc[i], ac[i]) = (dcTables[dcIndex & 3], acTables[acIndex & 3]);
        }

        var (first, last) = ((int)segment.ReadByte(), (int)segment.ReadByte());
        var (high, low) = segment.ReadNibbles();
        if (!frame.Progressive)
        {
            (first, last, high, low) = (0, 63, 0, 0);
        }

        var scan = new JpegScan(components, dc, ac, first, last, high, low);
        scan.Check(frame.Progressive);
        scan.NoteProgress();
        return scan;
    }

    private void Check(bool progressive)
    {
        var blocks = Components.Sum(c => c.Horizontal * c.Vertical);
        if (Components.Length == 0 || Components.Distinct().Count() != Components.Length || (Components.Length > 1 && blocks > MaxBlocksPerMcu))
        {
            throw new InvalidDataException("a JPEG scan has no components, one twice, or too many blocks");
        }

        var banded = First == 0 ? Last == 0 : First <= Last && Last < 64 && Components.Length == 1;
        if (progressive && (!banded || Low > MaxShift || (High != 0 && High != Low + 1)))
        {
            throw new InvalidDataException($"a JPEG scan has the impossible progression {First} … {Last}, {High} → {Low}");
        }

        var needsDc = First == 0 && High == 0;
        var needsAc = Last > 0;
        if ((needsDc && Dc.Contains(null)) || (needsAc && Ac.Contains(null)))
        {
            throw new InvalidDataException("a JPEG scan uses a Huffman table that is not defined");
        }
    }

    private void NoteProgress()
    {
        foreach (var component in Components)
        {
            for (var k = First; k <= Last; k++)
            {
                var known = component.KnownDownTo[k];
                if (High == 0 ? known != JpegComponent.Unknown : known != High)
                {
                    throw new InvalidDataException("a JPEG scan repeats or skips bits of a coefficient");
                }

                component.KnownDownTo[k] = Low;
            }
        }
    }
}
