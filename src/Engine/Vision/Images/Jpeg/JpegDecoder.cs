using MASQuant.Engine.Tensors;
using MASQuant.Engine.Vision.Pixels;

namespace MASQuant.Engine.Vision.Images.Jpeg;

/// <summary>
/// Decodes JPEG files (ITU-T T.81): baseline, extended and progressive with Huffman codes and 8 bits; gray, YCbCr, RGB, CMYK and YCCK. Samples equal
/// libjpeg's with its accurate integer transform and smooth upsampling. A file that ends early is read if its pixels are all there.
/// </summary>
public static class JpegDecoder
{
    // Ordinary files have about ten; without a bound, scans of a few bytes could each cost a pass over a large image.
    private const int MaxScans = 256;
    private const int RowsPerPiece = 16;

    /// <summary>Whether <paramref name="file"/> begins with JPEG's markers.</summary>
    public static bool IsJpeg(ReadOnlySpan<byte> file) => file.StartsWith((ReadOnlySpan<byte>)[0xFF, JpegMarker.StartOfImage, 0xFF]);

    /// <summary>The pixels across and down of a file with JPEG's markers, upright, from the header of its frame and what stands before.</summary>
    /// <exception cref="MASQuantException">MASQ0302 or MASQ0303.</exception>
    public static (int Width, int Height) ReadExtents(ReadOnlySpan<byte> file, ModelLimits limits, string? path)
    {
        try
        {
            var reader = new JpegReader(file);
            Orientation? orientation = null;
            while (true)
            {
                var marker = reader.ReadMarker();
                if (JpegMarker.IsAlone(marker))
                {
                    continue;
                }

                var segment = reader.ReadSegment();
                if (marker == JpegMarker.Exif)
                {
                    orientation ??= segment.ReadOrientation();
                }

                if (marker is JpegMarker.BaselineFrame or JpegMarker.ExtendedFrame or JpegMarker.ProgressiveFrame)
                {
                    var (width, height) = JpegFrame.ReadExtents(ref segment, limits, path);
                    return (orientation ?? default).Upright(width, height);
                }
            }
        }
        catch (InvalidDataException cause)
        {
            throw ImageErrors.Corrupt(path, cause.Message, cause);
        }
    }

    /// <summary>Decodes <paramref name="file"/>; <paramref name="path"/> is for messages, <paramref name="cancellationToken"/> is obeyed row by row.</summary>
    /// <exception cref="MASQuantException">MASQ0301, MASQ0302, MASQ0303 or MASQ0320.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> file, ModelLimits limits, string? path, CancellationToken cancellationToken = default)
    {
        try
        {
            if (!IsJpeg(file))
            {
                throw new InvalidDataException("JPEG's first markers are missing");
            }

            var state = new JpegState(limits, path, cancellationToken);
            state.Read(file, MaxScans);
            return Convert(state, cancellationToken);
        }
        catch (InvalidDataException cause)
        {
            throw ImageErrors.Corrupt(path, cause.Message, cause);
        }
    }

    // What has become samples is let go.
    private static JpegPlane Plane(JpegFrame frame, JpegComponent component, CancellationToken cancellationToken)
    {
        var plane = new JpegPlane(frame, component, cancellationToken);
        component.Coefficients = [];
        return plane;
    }

    private static RgbImage Convert(JpegState state, CancellationToken cancellationToken)
    {
        var frame = state.CompleteFrame();
        var space = JpegColors.Choose(frame.Components, state.Jfif, state.AdobeTransform);
        var planes = frame.Components.Select(c => Plane(frame, c, cancellationToken)).ToArray();
        var image = new RgbImage(frame.Width, frame.Height, LargeArray.Zeros<byte>(checked(frame.Width * frame.Height * 3)));
        Workers.For(JpegFrame.DivideUp(frame.Height, RowsPerPiece), piece =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rows = planes.Select(p => new byte[p.RowLength]).ToArray();
            var sums = new int[planes.Max(p => p.RowLength)];
            for (var y = piece * RowsPerPiece; y < Math.Min(frame.Height, (piece + 1) * RowsPerPiece); y++)
            {
                for (var i = 0; i < planes.Length; i++)
                {
                    planes[i].CopyRow(y, rows[i], sums);
                }

                var target = image.Row(y);
                for (var x = 0; x < frame.Width; x++)
                {
                    (target[x * 3], target[(x * 3) + 1], target[(x * 3) + 2]) = rows.Length switch
                    {
                        1 => JpegColors.Convert(space, rows[0][x], 0, 0, 0),
                        3 => JpegColors.Convert(space, rows[0][x], rows[1][x], rows[2][x], 0),
                        _ => JpegColors.Convert(space, rows[0][x], rows[1][x], rows[2][x], rows[3][x]),
                    };
                }
            }
        });
        return state.Orientation.Upright(image);
    }
}
