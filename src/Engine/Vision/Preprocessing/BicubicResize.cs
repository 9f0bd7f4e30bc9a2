using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Vision.Preprocessing;

/// <summary>
/// Pillow's <c>Image.resize(size, BICUBIC)</c> bit for bit (its <c>Resample.c</c>): an antialiasing bicubic filter (a = −0.5) over rows and columns,
/// in fixed point, with 8-bit values between the passes.
/// </summary>
public static class BicubicResize
{
    // 32 bits less 8 of the values and 2 of head room for the filter's overshoot.
    private const int PrecisionBits = 32 - 8 - 2;
    private const double Support = 2;
    private const double A = -0.5;

    /// <summary>Resizes <paramref name="image"/> to <paramref name="width"/> × <paramref name="height"/> pixels; an image that has that size is returned as it is.</summary>
    public static RgbImage Resize(RgbImage image, int width, int height)
    {
        // The order shows in the last bit. Rows go first, unless that pass gets cheaper when the columns are shrunk before it (Pillow 12.2 on for
        // very tall images, 13 on for width kept or grown; reference data made by older ones differs there by one level).
        var columnsFirst = height < image.Height && (width >= image.Width || image.Height > image.Width * 100L);
        return columnsFirst
            ? ResizeRows(ResizeColumns(image, height), width)
            : ResizeColumns(ResizeRows(image, width), height);
    }

    private static RgbImage ResizeRows(RgbImage image, int width)
    {
        if (image.Width == width)
        {
            return image;
        }

        var taps = Taps.Create(image.Width, width);
        var result = new RgbImage(width, image.Height, LargeArray.Zeros<byte>(checked(width * image.Height * 3)));
        Workers.For(image.Height, y =>
        {
            ReadOnlySpan<byte> source = image.Row(y);
            var target = result.Row(y);
            for (var x = 0; x < width; x++)
            {
                var weights = taps.Weights(x);
                int red = 1 << (PrecisionBits - 1), green = red, blue = red;
                var from = taps.First[x] * 3;
                foreach (var weight in weights)
                {
                    red += source[from] * weight;
                    green += source[from + 1] * weight;
                    blue += source[from + 2] * weight;
                    from += 3;
                }

                target[x * 3] = Clip(red);
                target[(x * 3) + 1] = Clip(green);
                target[(x * 3) + 2] = Clip(blue);
            }
        });
        return result;
    }

    private static RgbImage ResizeColumns(RgbImage image, int height)
    {
        if (image.Height == height)
        {
            return image;
        }

        var taps = Taps.Create(image.Height, height);
        var result = new RgbImage(image.Width, height, LargeArray.Zeros<byte>(checked(image.Width * height * 3)));
        Workers.For(height, y =>
        {
            var sums = new int[image.Width * 3];
            Array.Fill(sums, 1 << (PrecisionBits - 1));
            var weights = taps.Weights(y);
            for (var tap = 0; tap < weights.Length; tap++)
            {
                var weight = weights[tap];
                ReadOnlySpan<byte> source = image.Row(taps.First[y] + tap);
                for (var i = 0; i < sums.Length; i++)
                {
                    sums[i] += source[i] * weight;
                }
            }

            var target = result.Row(y);
            for (var i = 0; i < sums.Length; i++)
            {
                target[i] = Clip(sums[i]);
            }
        });
        return result;
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> PrecisionBits, 0, 255);

    /// <summary>The source positions and fixed-point weights of every output position of one axis.</summary>
    private sealed class Taps
    {
        private readonly int[] _weights;
        private readonly int[] _counts;
        private readonly int _stride;

        private Taps(int outputs, int stride)
        {
            _stride = stride;
            _weights = new int[checked(outputs * stride)];
            _counts = new int[outputs];
            First = new int[outputs];
        }

        public int[] First { get; }

        public ReadOnlySpan<int> Weights(int output) => _weights.AsSpan(output * _stride, _counts[output]);

        public static Taps Create(int inputs, int outputs)
        {
            var scale = (double)inputs / outputs;
            var filterScale = Math.Max(scale, 1);
            var support = Support * filterScale;
            var taps = new Taps(outputs, ((int)Math.Ceiling(support) * 2) + 1);
            Span<double> weights = new double[taps._stride];
            for (var output = 0; output < outputs; output++)
            {
                var center = (output + 0.5) * scale;
                var first = Math.Max((int)(center - support + 0.5), 0);
                var count = Math.Min((int)(center + support + 0.5), inputs) - first;
                var sum = 0d;
                for (var i = 0; i < count; i++)
                {
                    weights[i] = Filter((i + first - center + 0.5) * (1 / filterScale));
                    sum += weights[i];
                }

                taps.First[output] = first;
                taps._counts[output] = count;
                for (var i = 0; i < count; i++)
                {
                    var weight = (sum == 0 ? weights[i] : weights[i] / sum) * (1 << PrecisionBits);
                    taps._weights[(output * taps._stride) + i] = (int)(weight < 0 ? weight - 0.5 : weight + 0.5);
                }
            }

            return taps;
        }

        private static double Filter(double x)
        {
            x = Math.Abs(x);
            return x < 1 ? ((((A + 2) * x) - (A + 3)) * x * x) + 1
                : x < 2 ? (((((x - 5) * x) + 8) * x) - 4) * A
                : 0;
        }
    }
}
