using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Layers;

/// <summary>Multimodal rotary embedding (M-RoPE): cosines and sines of one run of tokens, each frequency pair following the token's time, height or width position.
/// Pairs are (i, i + d/2), "rotate half". Buffers are reused from run to run.</summary>
public sealed class RotaryTable
{
    private readonly int _headSize;
    private readonly float[] _frequencies;
    private readonly byte[] _axes;
    private readonly double _scale;
    private float[] _cosines = [];
    private float[] _sines = [];

    /// <summary>Computes the d/2 frequencies θ^(−2i/d), or what YaRN makes of them.</summary>
    /// <exception cref="ArgumentException">The sections do not add up to d/2.</exception>
    public RotaryTable(RotaryDescription description)
    {
        var rotated = description.RotatedSize;
        _headSize = description.HeadSize;
        _frequencies = new float[rotated / 2];
        var scaled = description.Yarn?.Frequencies(description.Theta, rotated);
        for (var i = 0; i < _frequencies.Length; i++)
        {
            _frequencies[i] = (float)(scaled is null ? 1 / Elementary.Pow(description.Theta, 2.0 * i / rotated) : scaled[i]);
        }

        _scale = description.Yarn?.AttentionFactor ?? 1;

        _axes = [.. description.Sections.SelectMany((pairs, axis) => Enumerable.Repeat((byte)axis, pairs))];
        if (_axes.Length != _frequencies.Length || description.Sections.Count != 3)
        {
            throw new ArgumentException($"M-RoPE sections {string.Join('/', description.Sections)} do not divide {_frequencies.Length} frequency pairs among time, height and width.", nameof(description));
        }

        if (description.IsInterleaved)
        {
            // Frequency 3j + axis is an axis' own as long as its section has some left; the rest is time's.
            _axes = [.. _axes.Select((_, i) => (byte)(i / 3 < description.Sections[i % 3] ? i % 3 : 0))];
        }
    }

    /// <summary>T, the number of tokens of the run.</summary>
    public int Count { get; private set; }

    /// <summary>The d/2 cosines of token <paramref name="token"/> of the run.</summary>
    public ReadOnlySpan<float> Cosines(int token) => _cosines.AsSpan(token * _frequencies.Length, _frequencies.Length);

    /// <summary>The d/2 sines of token <paramref name="token"/> of the run.</summary>
    public ReadOnlySpan<float> Sines(int token) => _sines.AsSpan(token * _frequencies.Length, _frequencies.Length);

    /// <summary>Prepares tokens at positions in time, height and width, of which there are as many.</summary>
    public void Set(ReadOnlySpan<int> time, ReadOnlySpan<int> height, ReadOnlySpan<int> width)
    {
        Reserve(time.Length);
        for (var t = 0; t < time.Length; t++)
        {
            Fill(t, time[t], height[t], width[t]);
        }
    }

    /// <summary>Prepares one text token.</summary>
    public void Set(int position) => Set([position]);

    /// <summary>Prepares text tokens at <paramref name="positions"/>, of one sequence or of several.</summary>
    public void Set(ReadOnlySpan<int> positions)
    {
        Reserve(positions.Length);
        for (var t = 0; t < positions.Length; t++)
        {
            Fill(t, positions[t], positions[t], positions[t]);
        }
    }

    /// <summary>Rotates every head of <paramref name="x"/>, [T, heads × head], in place.</summary>
    public void Rotate(Matrix x)
    {
        // Row by row where there are few: a closure would cost a decode step an allocation.
        if (x.Rows > Rows.PieceRows)
        {
            RotateMany(x);
            return;
        }

        for (var t = 0; t < x.Rows; t++)
        {
            Rotary.Rotate(x.Row(t), _headSize, Cosines(t), Sines(t));
        }
    }

    /// <summary>Carries gradients back through <see cref="Rotate"/>, by the transpose; where nothing is scaled this undoes it.</summary>
    public void RotateBack(Matrix x)
    {
        var sines = new float[_frequencies.Length];
        for (var t = 0; t < x.Rows; t++)
        {
            for (var i = 0; i < sines.Length; i++)
            {
                sines[i] = -Sines(t)[i];
            }

            Rotary.Rotate(x.Row(t), _headSize, Cosines(t), sines);
        }
    }

    private void RotateMany(Matrix x) => Rows.For(x.Rows, t => Rotary.Rotate(x.Row(t), _headSize, Cosines(t), Sines(t)));

    private void Reserve(int count)
    {
        var size = checked(count * _frequencies.Length);
        if (_cosines.Length < size)
        {
            (_cosines, _sines) = (LargeArray.Zeros<float>(size), LargeArray.Zeros<float>(size)); // both, or none where memory ends
        }

        Count = count;
    }

    private void Fill(int token, int time, int height, int width)
    {
        var start = token * _frequencies.Length;
        for (var i = 0; i < _frequencies.Length; i++)
        {
            // The angle is rounded to FP32 before the cosine, as in the reference.
            var position = _axes[i] switch { 0 => time, 1 => height, _ => width };
            var (sine, cosine) = Elementary.SinCos(position * _frequencies[i]);
            (_cosines[start + i], _sines[start + i]) = ((float)(cosine * _scale), (float)(sine * _scale));
        }
    }
}
