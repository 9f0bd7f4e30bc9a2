using MASQuant.Formats.Models;

namespace MASQuant.Engine.Layers;

/// <summary>The last rows that entered a causal convolution, and with them the convolution: row by row, each value in one order of its terms.</summary>
internal sealed class ConvolutionWindow(ConvolveStep step)
{
    private readonly PassStates _rows = new(checked((step.Width - 1) * step.Channels));
    private float[] _entered = [];
    private int _kept;

    public int Size => _rows.Size;

    public long Bytes => _rows.Bytes + (_entered.LongLength * sizeof(float));

    /// <summary>Width − 1 rows, the oldest first.</summary>
    public float[] Current => _rows.Read;

    public bool Fits(ConvolveStep other) => (other.Width, other.Channels) == (step.Width, step.Channels);

    public ConvolutionWindow NewLike() => new(step);

    /// <summary>Convolves further rows of the sequence in place, then SiLU.</summary>
    /// <param name="weights">[C, width].</param>
    /// <param name="x">[T, C].</param>
    /// <param name="first">The first of the sequence's rows.</param>
    /// <param name="count">How many follow.</param>
    /// <param name="keeps">Whether the rows are kept for <see cref="Truncate"/>.</param>
    public void Convolve(CausalConvolution weights, Matrix x, int first, int count, bool keeps)
    {
        var rows = x.Span.Slice(first * step.Channels, count * step.Channels);
        Keep(rows, keeps ? count : 0);
        Shift(_rows.Read, rows, _rows.Next);
        weights.Apply(_rows.Read, x, first, count);
        _rows.Advance(count);
    }

    public void Set(ReadOnlySpan<float> rows, int length) => _rows.Set(rows, length);

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    public void Truncate(int length)
    {
        if (length == 0)
        {
            _rows.Clear();
        }
        else if (length < _rows.Length)
        {
            var stays = length - _rows.LengthBefore;
            _rows.TakeBack();
            if (stays > 0)
            {
                Shift(_rows.Read, _entered.AsSpan(0, stays <= _kept ? stays * step.Channels : throw PassBorder.Passed(length)), _rows.Next);
                _rows.Advance(stays);
            }
            else if (stays < 0)
            {
                throw PassBorder.Passed(length);
            }
        }
    }

    private void Keep(ReadOnlySpan<float> rows, int count)
    {
        _kept = count;
        if (count > 0)
        {
            _entered = _entered.Length < rows.Length ? LargeArray.Uninitialized<float>(rows.Length) : _entered;
            rows.CopyTo(_entered);
        }
    }

    // The last rows of those before and the new ones.
    private static void Shift(ReadOnlySpan<float> before, ReadOnlySpan<float> rows, Span<float> after)
    {
        var kept = Math.Max(0, after.Length - rows.Length);
        before[(before.Length - kept)..].CopyTo(after);
        rows[(rows.Length - (after.Length - kept))..].CopyTo(after[kept..]);
    }
}
