namespace MASQuant.Engine.Vision.Images.Jpeg;

/// <summary>Decodes the coefficients of one scan, block after block: sequential (T.81, F.2) and progressive (G.2).</summary>
internal ref struct JpegBlockDecoder(JpegScan scan, bool progressive, ReadOnlySpan<byte> data)
{
    // Where the k-th coefficient of the zigzag order stands in a block.
    private static ReadOnlySpan<byte> NaturalOrder =>
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
        12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
        58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    ];

    private readonly int[] _predictions = new int[scan.Components.Length];
    private JpegBitReader _bits = new(data);

    // How many blocks to come, this one included, have no further new coefficients.
    private int _endOfBandRun;

    /// <summary>The offset of the first byte behind what was decoded.</summary>
    public readonly int Position => _bits.Position;

    /// <summary>The place in a block of the <paramref name="k"/>-th coefficient in zigzag order.</summary>
    public static int Natural(int k) => NaturalOrder[k];

    /// <summary>Begins again behind restart marker <paramref name="number"/>.</summary>
    public void Restart(int number)
    {
        _bits.Restart(number);
        Array.Clear(_predictions);
        _endOfBandRun = 0;
    }

    /// <summary>Decodes one block of the scan's component <paramref name="index"/>.</summary>
    public void Decode(int index, Span<short> block)
    {
        if (!progressive)
        {
            DecodeDc(index, block);
            DecodeSequentialAc(scan.Ac[index]!, block);
        }
        else if (scan.First == 0)
        {
            if (scan.High == 0)
            {
                DecodeDc(index, block);
            }
            else if (_bits.ReadBit())
            {
                block[0] |= (short)(1 << scan.Low);
            }
        }
        else if (scan.High == 0)
        {
            DecodeFirstAc(scan.Ac[index]!, block);
        }
        else
        {
            RefineAc(scan.Ac[index]!, block);
        }
    }

    private static void ThrowIfOutside(int k, int last)
    {
        if (k > last)
        {
            throw new InvalidDataException("a JPEG block has too many coefficients");
        }
    }

    private void DecodeDc(int index, Span<short> block)
    {
        var size = _bits.ReadSymbol(scan.Dc[index]!);
        if (size > 15)
        {
            throw new InvalidDataException("a JPEG DC difference has too many bits");
        }

        _predictions[index] += _bits.ReadSigned(size);
        block[0] = (short)(_predictions[index] << scan.Low);
    }

    private void DecodeSequentialAc(HuffmanTable table, Span<short> block)
    {
        for (var k = 1; k < 64; k++)
        {
            var symbol = _bits.ReadSymbol(table);
            var (run, size) = (symbol >> 4, symbol & 15);
            if (size == 0 && run < 15)
            {
                return;
            }

            k += run;
            if (size > 0)
            {
                ThrowIfOutside(k, 63);
                block[NaturalOrder[k]] = (short)_bits.ReadSigned(size);
            }
        }
    }

    private void DecodeFirstAc(HuffmanTable table, Span<short> block)
    {
        if (_endOfBandRun > 0)
        {
            _endOfBandRun--;
            return;
        }

        for (var k = scan.First; k <= scan.Last; k++)
        {
            var symbol = _bits.ReadSymbol(table);
            var (run, size) = (symbol >> 4, symbol & 15);
            if (size == 0 && run < 15)
            {
                _endOfBandRun = (1 << run) + _bits.Read(run) - 1;
                return;
            }

            k += run;
            if (size > 0)
            {
                ThrowIfOutside(k, scan.Last);
                block[NaturalOrder[k]] = (short)(_bits.ReadSigned(size) << scan.Low);
            }
        }
    }

    private void RefineAc(HuffmanTable table, Span<short> block)
    {
        var k = scan.First;
        while (_endOfBandRun == 0 && k <= scan.Last)
        {
            var symbol = _bits.ReadSymbol(table);
            var (run, size) = (symbol >> 4, symbol & 15);
            var fresh = 0;
            if (size > 0)
            {
                fresh = (_bits.ReadBit() ? 1 : -1) << scan.Low;
            }
            else if (run < 15)
            {
                _endOfBandRun = (1 << run) + _bits.Read(run);
                break;
            }

            // Pass over `run` coefficients that are still zero, refining those between that are not.
            k = RefineKnown(block, k, run);
            if (fresh != 0)
            {
                ThrowIfOutside(k, scan.Last);
                block[NaturalOrder[k]] = (short)fresh;
            }

            k++;
        }

        if (_endOfBandRun > 0)
        {
            // Runs pass over thousands of blocks by a few bits; those without coefficients have nothing to refine.
            if (block[1..].ContainsAnyExcept((short)0))
            {
                RefineKnown(block, k, int.MaxValue);
            }

            _endOfBandRun--;
        }
    }

    // Returns the place of the zero coefficient after `zeros` others, or the one behind the band.
    private int RefineKnown(Span<short> block, int k, int zeros)
    {
        for (; k <= scan.Last; k++)
        {
            ref var coefficient = ref block[NaturalOrder[k]];
            if (coefficient == 0)
            {
                if (zeros-- == 0)
                {
                    return k;
                }
            }
            else if (_bits.ReadBit() && (coefficient & (1 << scan.Low)) == 0)
            {
                coefficient += (short)(coefficient > 0 ? 1 << scan.Low : -1 << scan.Low);
            }
        }

        return k;
    }
}
