using MASQuant.Engine.Vision.Pixels;
namespace MASQuant.Engine.Vision.Images.Jpeg;

/// <summary>One colour component of a frame and its coefficients.</summary>
internal sealed class JpegComponent
{
    /// <summary>Bits of a coefficient that no scan has brought yet.</summary>
    public const int Unknown = -1;

    /// <summary>The identifier by which scans name it.</summary>
    public required byte Id { get; init; }

    /// <summary>H: blocks per MCU across.</summary>
    public required int Horizontal { get; init; }

    /// <summary>V: blocks per MCU down.</summary>
    public required int Vertical { get; init; }

    /// <summary>Which quantization table it uses.</summary>
    public required int TableIndex { get; init; }

    /// <summary>Samples across that count; blocks may hold more.</summary>
    public int Width { get; set; }

    /// <summary>Samples down that count.</summary>
    public int Height { get; set; }

    /// <summary>Blocks across, in whole MCUs.</summary>
    public int BlocksAcross { get; set; }

    /// <summary>Blocks down, in whole MCUs.</summary>
    public int BlocksDown { get; set; }

    /// <summary>The quantized coefficients [blocks down, blocks across, 64], each block in natural order.</summary>
    public short[] Coefficients { get; set; } = [];

    /// <summary>The steps by which coefficients are multiplied, in natural order, as they stood when the first scan came.</summary>
    public ushort[]? Steps { get; set; }

    /// <summary>Per coefficient in zigzag order: the bit down to which it is known, 0 when whole.</summary>
    public int[] KnownDownTo { get; } = Enumerable.Repeat(Unknown, 64).ToArray();

    /// <summary>The 64 coefficients of one block.</summary>
    public Span<short> Block(int row, int column) => Coefficients.AsSpan(((row * BlocksAcross) + column) * 64, 64);
}

/// <summary>A frame header (SOF0, SOF1 or SOF2) and its components.</summary>
internal sealed class JpegFrame
{
    private JpegFrame(int width, int height, bool progressive, JpegComponent[] components)
    {
        (Width, Height, Progressive, Components) = (width, height, progressive, components);
        MaxHorizontal = components.Max(c => c.Horizontal);
        MaxVertical = components.Max(c => c.Vertical);
        McusAcross = DivideUp(width, 8 * MaxHorizontal);
        McusDown = DivideUp(height, 8 * MaxVertical);
    }

    /// <summary>Pixels across.</summary>
    public int Width { get; }

    /// <summary>Pixels down.</summary>
    public int Height { get; }

    /// <summary>Whether coefficients come in several scans.</summary>
    public bool Progressive { get; }

    /// <summary>The components, in the order of the header.</summary>
    public JpegComponent[] Components { get; }

    /// <summary>The largest H.</summary>
    public int MaxHorizontal { get; }

    /// <summary>The largest V.</summary>
    public int MaxVertical { get; }

    /// <summary>MCUs across, of scans with all components.</summary>
    public int McusAcross { get; }

    /// <summary>MCUs down.</summary>
    public int McusDown { get; }

    /// <summary>The blocks of all components.</summary>
    public long Blocks => Components.Sum(component => (long)component.BlocksAcross * component.BlocksDown);

    /// <summary>⌈a / b⌉.</summary>
    public static int DivideUp(int a, int b) => (a + b - 1) / b;

    /// <summary>Reads and checks the beginning of a header: the pixels across and down.</summary>
    public static (int Width, int Height) ReadExtents(ref JpegReader segment, ModelLimits limits, string? path)
    {
        var precision = segment.ReadByte();
        var (height, width) = (segment.ReadUInt16(), segment.ReadUInt16());
        if (precision != 8)
        {
            throw ImageErrors.NotSupported(path, $"the JPEG has {precision} bits a sample");
        }

        ImageErrors.CheckExtents(width, height, limits.ImagePixels, path);
        return (width, height);
    }

    /// <summary>Reads and checks a header; refuses one that promises more blocks than <paramref name="fileBytes"/> can hold.</summary>
    public static JpegFrame Parse(JpegReader segment, byte marker, long fileBytes, ModelLimits limits, string? path)
    {
        var (width, height) = ReadExtents(ref segment, limits, path);
        var components = new JpegComponent[segment.ReadByte()];
        if (components.Length is not (1 or 3 or 4))
        {
            throw ImageErrors.NotSupported(path, $"the JPEG has {components.Length} colour components");
        }

        for (var i = 0; i < components.Length; i++)
        {
            var id = segment.ReadByte();
            var (horizontal, vertical) = segment.ReadNibbles();
            var table = segment.ReadByte();
            if (horizontal is < 1 or > 4 || vertical is < 1 or > 4 || table > 3 || components.Take(i).Any(c => c.Id == id))
            {
                throw new InvalidDataException($"the JPEG's component {id} has impossible sampling factors or tables, or occurs twice");
            }

            components[i] = new JpegComponent { Id = id, Horizontal = horizontal, Vertical = vertical, TableIndex = table };
        }

        var frame = new JpegFrame(width, height, marker == JpegMarker.ProgressiveFrame, components);
        frame.Allocate(fileBytes, limits, path);
        return frame;
    }

    private void Allocate(long fileBytes, ModelLimits limits, string? path)
    {
        long blocks = 0;
        foreach (var component in Components)
        {
            if (MaxHorizontal % component.Horizontal != 0 || MaxVertical % component.Vertical != 0)
            {
                throw ImageErrors.NotSupported(path, "the JPEG's sampling factors are not whole multiples of each other");
            }

            component.Width = DivideUp(Width * component.Horizontal, MaxHorizontal);
            component.Height = DivideUp(Height * component.Vertical, MaxVertical);
            component.BlocksAcross = McusAcross * component.Horizontal;
            component.BlocksDown = McusDown * component.Vertical;
            blocks += (long)DivideUp(component.Width, 8) * DivideUp(component.Height, 8);
        }

        // Each block takes at least the one bit of its DC code.
        if (blocks > fileBytes * 8)
        {
            throw new InvalidDataException($"{fileBytes} bytes of JPEG cannot hold {Width} × {Height} pixels");
        }

        // Coefficients and samples of all blocks, pixels as stored and upright.
        limits.RequireBytes((Blocks * 64 * (sizeof(short) + 1)) + ((long)Width * Height * 6), path);
        foreach (var component in Components)
        {
            component.Coefficients = new short[checked(component.BlocksAcross * component.BlocksDown * 64)];
        }
    }
}
