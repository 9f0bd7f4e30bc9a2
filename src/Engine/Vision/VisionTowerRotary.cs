using MASQuant.Engine.Layers;
using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Vision;

/// <summary>The vision tower's two-dimensional rotary embedding: of a head's d/2 frequency pairs the first half follows the patch's row, the second its column, with frequencies θ^(−4i/d).</summary>
public sealed class VisionTowerRotary
{
    /// <summary>Computes the angles of <paramref name="patches"/> patches in the order of <paramref name="layout"/>.</summary>
    public VisionTowerRotary(VisionTowerLayout layout, int patches, int headSize, double theta)
    {
        var frequencies = new float[headSize / 4];
        for (var i = 0; i < frequencies.Length; i++)
        {
            frequencies[i] = (float)(1 / Elementary.Pow(theta, 4.0 * i / headSize));
        }

        (Cosines, Sines) = (new Matrix(patches, headSize / 2), new Matrix(patches, headSize / 2));
        for (var place = 0; place < patches; place++)
        {
            var (row, column) = layout.Position(place);
            Fill(place, 0, row, frequencies);
            Fill(place, frequencies.Length, column, frequencies);
        }
    }

    /// <summary>[T, d/2].</summary>
    public Matrix Cosines { get; }

    /// <summary>[T, d/2].</summary>
    public Matrix Sines { get; }

    /// <summary>Rotates every head of <paramref name="x"/>, [T, heads · d], in place.</summary>
    public void Rotate(Matrix x) => Rows.For(x.Rows, row => Rotary.Rotate(x.Row(row), Cosines.Row(row), Sines.Row(row)));

    private void Fill(int place, int start, int position, float[] frequencies)
    {
        for (var i = 0; i < frequencies.Length; i++)
        {
            // The angle is rounded to FP32 before the cosine, as in the reference.
            var (sine, cosine) = Elementary.SinCos(position * frequencies[i]);
            (Cosines[place, start + i], Sines[place, start + i]) = ((float)cosine, (float)sine);
        }
    }
}
