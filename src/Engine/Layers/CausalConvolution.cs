using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Layers;

/// <summary>The weights of a causal convolution of every channel on its own. Threads may share them.</summary>
internal sealed class CausalConvolution
{
    private const int PieceChannels = 64 * Lanes.Count;
    private readonly int _channels;
    private readonly int _width;
    private readonly float[] _taps;

    /// <summary>Takes weights [C, width] as they are stored.</summary>
    public CausalConvolution(ReadOnlySpan<float> weights, int channels, int width)
    {
        (_channels, _width, _taps) = (channels, width, new float[weights.Length]);
        for (var channel = 0; channel < channels; channel++)
        {
            for (var tap = 0; tap < width; tap++)
            {
                _taps[(tap * channels) + channel] = weights[(channel * width) + tap];
            }
        }
    }

    /// <summary>Replaces rows by SiLU of their convolution.</summary>
    /// <param name="before">The width − 1 rows before them.</param>
    /// <param name="x">[T, C].</param>
    /// <param name="first">The first of the rows.</param>
    /// <param name="count">How many follow.</param>
    public void Apply(float[] before, Matrix x, int first, int count)
    {
        // Where there are few: a closure would cost a decode step an allocation.
        if (count > Rows.PieceRows)
        {
            ApplyToMany(before, x, first, count);
        }
        else
        {
            Apply(before, x.Span.Slice(first * _channels, count * _channels), 0, _channels);
        }
    }

    private void ApplyToMany(float[] before, Matrix x, int first, int count) => Workers.For((_channels + PieceChannels - 1) / PieceChannels, piece =>
        Apply(before, x.Span.Slice(first * _channels, count * _channels), piece * PieceChannels, Math.Min(_channels, (piece + 1) * PieceChannels)));

    // From the last row back: a row's inputs are then still there.
    private void Apply(ReadOnlySpan<float> before, Span<float> rows, int start, int end)
    {
        for (var row = (rows.Length / _channels) - 1; row >= 0; row--)
        {
            for (var i = start; i < end; i += Lanes.Count)
            {
                var sum = Vector512<float>.Zero;
                for (var tap = 0; tap < _width; tap++)
                {
                    var source = row - (_width - 1) + tap;
                    var line = source < 0 ? before.Slice((source + _width - 1) * _channels, _channels) : rows.Slice(source * _channels, _channels);
                    sum = Vector512.FusedMultiplyAdd(Lanes.Load(line, i), Lanes.Load(_taps.AsSpan(tap * _channels, _channels), i), sum);
                }

                Lanes.Store(sum / (Vector512<float>.One + Exponential.Of(-sum)), rows.Slice(row * _channels, _channels), i);
            }
        }
    }
}
