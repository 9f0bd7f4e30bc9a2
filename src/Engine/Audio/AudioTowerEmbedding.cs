using MASQuant.Engine.Layers;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Audio;

/// <summary>The audio tower's entry: two convolutions of width 3 with GELU, the second of stride 2, and sinusoidal positions. Every window is on its own: silence (zeros) surrounds it, and positions begin at 0.</summary>
public sealed class AudioTowerEmbedding
{
    /// <summary>The width of the convolutions.</summary>
    public const int Taps = 3;

    private readonly AudioConfig _config;
    private readonly DenseLinear _first;
    private readonly DenseLinear _second;
    private readonly Matrix _positions;

    /// <summary>Reads the convolutions, [D, inputs, 3].</summary>
    public AudioTowerEmbedding(ITensorSource source, AudioTowerDescription description)
    {
        _config = description.Config;
        _first = DenseLinear.Read(source, description.FirstConvolution);
        _second = DenseLinear.Read(source, description.SecondConvolution);
        _positions = Positions(_config.HalfWindow, _config.ModelSize, description.LongestPeriod);
    }

    /// <summary>The rows that <paramref name="frames"/> mel frames become.</summary>
    public static int Length(int frames) => (frames + 1) / 2;

    /// <summary>Embeds one window: frames <paramref name="start"/> … of <paramref name="mel"/> [bins, frames].</summary>
    /// <param name="mel">[bins, frames].</param>
    /// <param name="start">The window's first frame.</param>
    /// <param name="frames">At most two half windows.</param>
    /// <param name="rows">[⌈frames / 2⌉ · D], overwritten.</param>
    public void Embed(Matrix mel, int start, int frames, Span<float> rows)
    {
        var x = new Matrix(frames, _config.MelBins);
        for (var bin = 0; bin < _config.MelBins; bin++)
        {
            var line = mel.Row(bin).Slice(start, frames);
            for (var frame = 0; frame < frames; frame++)
            {
                x[frame, bin] = line[frame];
            }
        }

        var y = Convolve(Convolve(x, _first, stride: 1), _second, stride: 2);
        Residual.Add(y.Span, _positions.Span[..y.Span.Length]);
        y.Span.CopyTo(rows);
    }

    /// <summary>GELU of a convolution with one row of zeros at either end, as a product with the rows under the kernel laid side by side.</summary>
    private static Matrix Convolve(Matrix x, DenseLinear kernel, int stride)
    {
        var gathered = new Matrix(((x.Rows - 1) / stride) + 1, x.Columns * Taps);
        Rows.For(gathered.Rows, row =>
        {
            var target = gathered.Row(row);
            for (var tap = 0; tap < Taps; tap++)
            {
                var from = (row * stride) + tap - 1;
                if (from < 0 || from >= x.Rows)
                {
                    continue;
                }

                // The kernel's last extent is the tap.
                var source = x.Row(from);
                for (var i = 0; i < source.Length; i++)
                {
                    target[(i * Taps) + tap] = source[i];
                }
            }
        });
        var y = kernel.Forward(gathered);
        Gelu.Apply(y);
        return y;
    }

    /// <summary>[length, D]: sines of the position times P^(−i/(D/2 − 1)), P the longest period, then as many cosines.</summary>
    public static Matrix Positions(int length, int columns, double longestPeriod)
    {
        var positions = new Matrix(length, columns);
        var half = columns / 2;
        for (var i = 0; i < half; i++)
        {
            var frequency = (float)Elementary.Exp(-Elementary.Log(longestPeriod) / (half - 1) * i);
            for (var position = 0; position < length; position++)
            {
                // The angle is rounded to FP32 before the sine, as in the reference.
                var (sine, cosine) = Elementary.SinCos(position * frequency);
                (positions[position, i], positions[position, half + i]) = ((float)sine, (float)cosine);
            }
        }

        return positions;
    }
}
