namespace MASQuant.Engine.Vision.Images.Jpeg;

/// <summary>Reads the bits of entropy-coded data, up to the next marker.</summary>
internal ref struct JpegBitReader(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private ulong _bits;
    private int _count;

    /// <summary>The offset of the first byte that is not yet taken; a marker is never taken.</summary>
    public int Position { get; private set; }

    /// <summary>The next <paramref name="count"/> ≤ 16 bits, left in place; zeros stand for what lies behind the data.</summary>
    public int Peek(int count)
    {
        if (_count < count)
        {
            Fill();
        }

        return (int)(_bits >> (64 - count));
    }

    /// <summary>Drops <paramref name="count"/> bits.</summary>
    /// <exception cref="InvalidDataException">So many are not left.</exception>
    public void Skip(int count)
    {
        _bits <<= count;
        _count -= count;
        if (_count < 0)
        {
            throw new InvalidDataException("the JPEG's entropy-coded data ends too early");
        }
    }

    /// <summary>Reads <paramref name="count"/> ≤ 16 bits as an unsigned number.</summary>
    public int Read(int count)
    {
        if (count == 0)
        {
            return 0;
        }

        var value = Peek(count);
        Skip(count);
        return value;
    }

    /// <summary>Reads one bit.</summary>
    public bool ReadBit() => Read(1) != 0;

    /// <summary>Reads a difference or coefficient of <paramref name="size"/> ≤ 15 bits (T.81, F.2.2.1: EXTEND).</summary>
    public int ReadSigned(int size)
    {
        var value = Read(size);
        return size > 0 && value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
    }

    /// <summary>Reads the code of a symbol.</summary>
    /// <exception cref="InvalidDataException">No symbol has that code.</exception>
    public byte ReadSymbol(HuffmanTable table)
    {
        var (symbol, length) = table.Find(Peek(HuffmanTable.MaxLength));
        Skip(length);
        return symbol;
    }

    /// <summary>Drops the rest of the byte and takes the restart marker that must follow.</summary>
    public void Restart(int number)
    {
        (_bits, _count) = (0, 0);
        while (Position + 1 < _data.Length && !IsMarker(Position))
        {
            Position++;
        }

        while (Position + 1 < _data.Length && _data[Position + 1] == 0xFF)
        {
            Position++;
        }

        if (Position + 1 >= _data.Length || _data[Position + 1] != JpegMarker.FirstRestart + (number & 7))
        {
            throw new InvalidDataException("a JPEG restart marker is missing");
        }

        Position += 2;
    }

    private readonly bool IsMarker(int position) => _data[position] == 0xFF && _data[position + 1] != 0;

    private void Fill()
    {
        while (_count <= 56 && Position < _data.Length)
        {
            if (_data[Position] == 0xFF)
            {
                // A byte FF of data is followed by a stuffed 00; anything else begins a marker.
                if (Position + 1 >= _data.Length || _data[Position + 1] != 0)
                {
                    return;
                }

                Position++;
                _bits |= 0xFFUL << (56 - _count);
            }
            else
            {
                _bits |= (ulong)_data[Position] << (56 - _count);
            }

            Position++;
            _count += 8;
        }
    }
}
