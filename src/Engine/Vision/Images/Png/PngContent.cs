using MASQuant.Engine.Vision.Pixels;

namespace MASQuant.Engine.Vision.Images.Png;

/// <summary>What the chunks of a PNG file hold. A file may end early: whether its pixels are all there shows when they are inflated.</summary>
internal sealed class PngContent : IDisposable
{
    private PngContent(PngHeader header) => Header = header;

    /// <summary>IHDR.</summary>
    public PngHeader Header { get; }

    /// <summary>PLTE: red, green and blue of each colour.</summary>
    public byte[] Palette { get; private set; } = [];

    /// <summary>tRNS: the alpha of each colour of the palette, or the one colour that is transparent.</summary>
    public byte[] Transparency { get; private set; } = [];

    /// <summary>eXIf.</summary>
    public Orientation Orientation { get; private set; }

    /// <summary>The IDAT chunks, one behind the other.</summary>
    public MemoryStream Data { get; } = new();

    /// <summary>Reads the chunks behind PNG's signature.</summary>
    /// <exception cref="MASQuantException">MASQ0301, MASQ0302 or MASQ0303.</exception>
    public static PngContent Read(ReadOnlySpan<byte> rest, ModelLimits limits, string? path)
    {
        var chunks = new PngChunks(rest, path);
        var content = new PngContent(chunks.Next() && chunks.Is("IHDR"u8) ? PngHeader.Parse(chunks.Data, limits, path) : throw ImageErrors.Corrupt(path, "the first PNG chunk is not IHDR"));
        while (chunks.Next() && !chunks.Is("IEND"u8))
        {
            if (chunks.Is("PLTE"u8))
            {
                content.Palette = chunks.Data.ToArray();
            }
            else if (chunks.Is("tRNS"u8))
            {
                content.Transparency = chunks.Data.ToArray();
            }
            else if (chunks.Is("eXIf"u8))
            {
                content.Orientation = Orientation.Read(chunks.Data);
            }
            else if (chunks.Is("IDAT"u8))
            {
                content.Data.Write(chunks.Data);
            }
            else if (chunks.IsCritical)
            {
                throw ImageErrors.NotSupported(path, "it has an unknown critical PNG chunk");
            }
        }

        return content;
    }

    /// <inheritdoc/>
    public void Dispose() => Data.Dispose();
}
