using MASQuant.Engine.Vision.Pixels;
namespace MASQuant.Engine.Vision.Images.Jpeg;

/// <summary>What a JPEG file's segments have said so far: tables, frame, markers, coefficients.</summary>
internal sealed class JpegState(ModelLimits limits, string? path, CancellationToken cancellationToken)
{
    // libjpeg smooths blocks whose first nine AC coefficients are not known whole; such files are refused, not guessed at.
    private const int NeededCoefficients = 10;

    // Files of encoders come to a block in up to ten scans. A scan of a few bytes can pass over every block; in all, large images have so many visits a block, small ones what takes a fraction of a second.
    private const int MaxVisits = 16;
    private const int FreeVisits = 1 << 22;

    private readonly ushort[]?[] _steps = new ushort[]?[4];
    private readonly HuffmanTable?[] _dcTables = new HuffmanTable?[4];
    private readonly HuffmanTable?[] _acTables = new HuffmanTable?[4];
    private JpegFrame? _frame;
    private int _restartInterval;
    private long _visits;
    private bool _endsEarly;
    private Orientation? _orientation;

    /// <summary>How the image is to be seen.</summary>
    public Orientation Orientation => _orientation ?? default;

    /// <summary>Whether the file is marked as JFIF.</summary>
    public bool Jfif { get; private set; }

    /// <summary>The colour transform of Adobe's marker, or null without one.</summary>
    public int? AdobeTransform { get; private set; }

    /// <summary>Reads the file up to its end marker, or behind its last scan to where it ends early.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public void Read(ReadOnlySpan<byte> file, int maxScans)
    {
        var reader = new JpegReader(file);
        var scans = 0;
        while (true)
        {
            _endsEarly = scans > 0 && !reader.GoesOn();
            var marker = _endsEarly ? JpegMarker.EndOfImage : reader.ReadMarker();
            if (marker == JpegMarker.EndOfImage)
            {
                return;
            }

            if (JpegMarker.IsAlone(marker))
            {
                continue;
            }

            var segment = reader.ReadSegment();
            if (marker != JpegMarker.StartOfScan)
            {
                ReadSegment(marker, segment, file.Length);
                continue;
            }

            if (++scans > maxScans)
            {
                throw ImageErrors.NotSupported(path, $"the JPEG has more than {maxScans} scans");
            }

            reader.Position += DecodeScan(segment, reader.Rest);
        }
    }

    /// <summary>The frame, once every component's coefficients are known.</summary>
    /// <exception cref="InvalidDataException">Some are missing.</exception>
    public JpegFrame CompleteFrame()
    {
        if (_frame is null || _frame.Components.Any(c => c.Steps is null || c.KnownDownTo.Take(_endsEarly ? 64 : NeededCoefficients).Any(b => b != 0)))
        {
            throw new InvalidDataException("the JPEG lacks scans");
        }

        return _frame;
    }

    private void ReadSegment(byte marker, JpegReader segment, int fileBytes)
    {
        switch (marker)
        {
            case JpegMarker.BaselineFrame or JpegMarker.ExtendedFrame or JpegMarker.ProgressiveFrame:
                if (_frame is not null)
                {
                    throw new InvalidDataException("the JPEG has two frames");
                }

                _frame = JpegFrame.Parse(segment, marker, fileBytes, limits, path);
                break;
            case JpegMarker.Exif when _frame is null:
                _orientation ??= segment.ReadOrientation();
                break;
            case JpegMarker.HuffmanTables:
                ReadHuffmanTables(segment);
                break;
            case > JpegMarker.ProgressiveFrame and <= JpegMarker.LastFrame:
                throw ImageErrors.NotSupported(path, "the JPEG is coded arithmetically, without loss or in layers");
            case JpegMarker.QuantizationTables:
                ReadQuantizationTables(segment);
                break;
            case JpegMarker.RestartInterval:
                _restartInterval = segment.ReadUInt16();
                break;
            case JpegMarker.Jfif when segment.Rest.Length >= 14 && segment.Rest.StartsWith("JFIF\0"u8):
                Jfif = true;
                break;
            case JpegMarker.Adobe when segment.Rest.Length >= 12 && segment.Rest.StartsWith("Adobe"u8):
                AdobeTransform = segment.Rest[11];
                break;
        }
    }

    private void ReadHuffmanTables(JpegReader segment)
    {
        while (!segment.AtEnd)
        {
            var (kind, index) = segment.ReadNibbles();
            var counts = segment.ReadBytes(HuffmanTable.MaxLength);
            var total = 0;
            foreach (var count in counts)
            {
                total += count;
            }

            if (kind > 1 || index > 3 || total > 256)
            {
                throw new InvalidDataException("a JPEG Huffman table has an impossible kind, index or length");
            }

            (kind == 0 ? _dcTables : _acTables)[index] = new HuffmanTable(counts, segment.ReadBytes(total));
        }
    }

    private void ReadQuantizationTables(JpegReader segment)
    {
        while (!segment.AtEnd)
        {
            var (wide, index) = segment.ReadNibbles();
            if (wide > 1 || index > 3)
            {
                throw new InvalidDataException("a JPEG quantization table has an impossible precision or index");
            }

            var steps = new ushort[64];
            for (var k = 0; k < 64; k++)
            {
                steps[JpegBlockDecoder.Natural(k)] = (ushort)(wide == 1 ? segment.ReadUInt16() : segment.ReadByte());
            }

            _steps[index] = steps;
        }
    }

    private int DecodeScan(JpegReader segment, ReadOnlySpan<byte> data)
    {
        var frame = _frame ?? throw new InvalidDataException("a JPEG scan stands before the frame");
        var scan = JpegScan.Parse(segment, frame, _dcTables, _acTables);
        foreach (var component in scan.Components)
        {
            component.Steps ??= _steps[component.TableIndex] ?? throw new InvalidDataException("a JPEG quantization table is missing");
        }

        var decoder = new JpegBlockDecoder(scan, frame.Progressive, data);
        var alone = scan.Components.Length == 1 ? scan.Components[0] : null;

        // A component alone comes block by block and without the blocks that fill up MCUs.
        var across = alone is null ? frame.McusAcross : JpegFrame.DivideUp(alone.Width, 8);
        var down = alone is null ? frame.McusDown : JpegFrame.DivideUp(alone.Height, 8);
        _visits += (long)across * down * (alone is null ? scan.Components.Sum(component => component.Horizontal * component.Vertical) : 1);
        if (_visits > Math.Max(FreeVisits, frame.Blocks * MaxVisits))
        {
            throw ImageErrors.NotSupported(path, "the JPEG has too many scans for its size");
        }

        for (int mcu = 0, restarts = 0; mcu < across * down; mcu++)
        {
            if (_restartInterval > 0 && mcu > 0 && mcu % _restartInterval == 0)
            {
                decoder.Restart(restarts++);
            }

            var (row, column) = (mcu / across, mcu % across);
            if (column == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            if (alone is not null)
            {
                decoder.Decode(0, alone.Block(row, column));
                continue;
            }

            for (var i = 0; i < scan.Components.Length; i++)
            {
                var component = scan.Components[i];
                for (var block = 0; block < component.Horizontal * component.Vertical; block++)
                {
                    var blockRow = (row * component.Vertical) + (block / component.Horizontal);
                    decoder.Decode(i, component.Block(blockRow, (column * component.Horizontal) + (block % component.Horizontal)));
                }
            }
        }

        return decoder.Position;
    }
}
