using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Vision.Images.Jpeg;

/// <summary>One component's samples, and its rows at the image's resolution: doubled extents are interpolated as libjpeg's "fancy" upsampling does (<c>jdsample.c</c>), others repeated.</summary>
internal sealed class JpegPlane
{
    private readonly byte[] _samples;
    private readonly int _stride;
    private readonly int _width;
    private readonly int _height;
    private readonly int _expandX;
    private readonly int _expandY;

    /// <summary>Transforms the component's coefficients to samples.</summary>
    public JpegPlane(JpegFrame frame, JpegComponent component, CancellationToken cancellationToken)
    {
        _stride = component.BlocksAcross * 8;
        (_width, _height) = (component.Width, component.Height);
        _expandX = frame.MaxHorizontal / component.Horizontal;
        _expandY = frame.MaxVertical / component.Vertical;
        _samples = LargeArray.Zeros<byte>(checked(_stride * component.BlocksDown * 8));
        Workers.For(component.BlocksDown, row =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var column = 0; column < component.BlocksAcross; column++)
            {
                InverseDct.Transform(component.Block(row, column), component.Steps, _samples.AsSpan((row * 8 * _stride) + (column * 8)), _stride);
            }
        });
    }

    /// <summary>The samples a row buffer needs: the component's width, expanded.</summary>
    public int RowLength => _width * _expandX;

    /// <summary>Writes row <paramref name="y"/> of the image; <paramref name="sums"/> is scratch of at least <see cref="RowLength"/>.</summary>
    public void CopyRow(int y, Span<byte> row, Span<int> sums)
    {
        var smoothX = _expandX == 2 && _width > 2;
        switch (_expandX, _expandY)
        {
            case (2, 1) when smoothX:
                DoubleRow(Row(y), row);
                break;
            case (1, 2):
                BlendRows(y, row);
                break;
            case (2, 2) when smoothX:
                DoubleBoth(y, row, sums);
                break;
            default:
                Repeat(Row(y / _expandY), row);
                break;
        }
    }

    private ReadOnlySpan<byte> Row(int y) => _samples.AsSpan(y * _stride, _width);

    // The row that lies nearer to output row y than the other neighbour; beyond the edges the outermost row.
    private ReadOnlySpan<byte> Neighbour(int y) => Row(Math.Clamp((y / 2) + ((y & 1) == 0 ? -1 : 1), 0, _height - 1));

    private void Repeat(ReadOnlySpan<byte> source, Span<byte> row)
    {
        if (_expandX == 1)
        {
            source.CopyTo(row);
            return;
        }

        for (var x = 0; x < source.Length; x++)
        {
            row.Slice(x * _expandX, _expandX).Fill(source[x]);
        }
    }

    // h2v1: each output is ¾ of its sample and ¼ of the next; halves are rounded down and up in turn.
    private static void DoubleRow(ReadOnlySpan<byte> source, Span<byte> row)
    {
        var last = source.Length - 1;
        for (var x = 0; x <= last; x++)
        {
            var near = source[x] * 3;
            row[2 * x] = x == 0 ? source[0] : (byte)((near + source[x - 1] + 1) >> 2);
            row[(2 * x) + 1] = x == last ? source[last] : (byte)((near + source[x + 1] + 2) >> 2);
        }
    }

    // h1v2.
    private void BlendRows(int y, Span<byte> row)
    {
        var near = Row(y / 2);
        var far = Neighbour(y);
        var bias = (y & 1) == 0 ? 1 : 2;
        for (var x = 0; x < near.Length; x++)
        {
            row[x] = (byte)(((near[x] * 3) + far[x] + bias) >> 2);
        }
    }

    // h2v2: the same weights both ways, rounded once.
    private void DoubleBoth(int y, Span<byte> row, Span<int> sums)
    {
        var near = Row(y / 2);
        var far = Neighbour(y);
        var last = near.Length - 1;
        for (var x = 0; x <= last; x++)
        {
            sums[x] = (near[x] * 3) + far[x];
        }

        for (var x = 0; x <= last; x++)
        {
            var sum = sums[x];
            row[2 * x] = (byte)(((sum * 3) + sums[Math.Max(x - 1, 0)] + 8) >> 4);
            row[(2 * x) + 1] = (byte)(((sum * 3) + sums[Math.Min(x + 1, last)] + 7) >> 4);
        }
    }
}
