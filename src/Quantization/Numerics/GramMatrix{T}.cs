using System.Numerics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Numerics;

/// <summary>A <see cref="GramMatrix"/> in a chosen precision.</summary>
public sealed class GramMatrix<T> : GramMatrix
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int PieceRows = 64;

    private readonly RealMatrix<T> _lower;
    private readonly RowSum<T> _sum;
    private Matrix? _pending;
    private int _pendingCount;

    public GramMatrix(int inputs, IRowSums? sums = null)
        : this(new RealMatrix<T>(inputs, inputs), 0, sums)
    {
    }

    /// <summary>Wraps the lower triangle of a Gram matrix of <paramref name="tokens"/> rows.</summary>
    public GramMatrix(RealMatrix<T> lower, long tokens, IRowSums? sums = null)
        : base(lower.Rows)
    {
        _lower = lower;
        _sum = (sums ?? ManagedRowSums.Instance).SumInto(lower, lowerOnly: true);
        Tokens = tokens;
    }

    /// <summary>C; only the lower triangle counts.</summary>
    public RealMatrix<T> Lower
    {
        get
        {
            Finish();
            return _lower;
        }
    }

    public override double MeanDiagonal
    {
        get
        {
            var sum = 0.0;
            for (var i = 0; i < Inputs; i++)
            {
                sum += double.CreateTruncating(Lower[i, i]);
            }

            return sum / Inputs;
        }
    }

    public override void Add(ReadOnlySpan<float> row)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(row.Length, Inputs);
        _pending ??= new Matrix(PendingRows, Inputs);
        row.CopyTo(_pending.Row(_pendingCount++));
        Tokens++;
        if (_pendingCount == PendingRows)
        {
            Flush();
        }
    }

    public override void Finish()
    {
        Flush();
        _sum.Finish();
        _pending = null;
    }

    public override GramMatrix Smooth(float[] inverse)
    {
        var smoothed = Lower.Copy();
        Workers.For(Inputs, i =>
        {
            var scale = T.CreateTruncating(inverse[i]);
            var row = smoothed.Row(i);
            for (var j = 0; j <= i; j++)
            {
                row[j] *= scale * T.CreateTruncating(inverse[j]);
            }
        });
        return new GramMatrix<T>(smoothed, Tokens);
    }

    public override GramMatrix Copy() => new GramMatrix<T>(Lower.Copy(), Tokens);

    public override void AddSmoothed(double weight, GramMatrix other, float[] inverse)
    {
        AddSmoothed(weight, ((GramMatrix<T>)other).Lower, Lower, inverse, replaces: false);
        Tokens += other.Tokens;
    }

    public override void SmoothInPlace(double weight, float[] inverse) => AddSmoothed(weight, Lower, Lower, inverse, replaces: true);

    public override void Rotate(int block)
    {
        if (block > 0)
        {
            GramRotation.Apply(Lower, block);
        }
    }

    private void AddSmoothed(double weight, RealMatrix<T> source, RealMatrix<T> target, float[] inverse, bool replaces)
    {
        Workers.For((Inputs + PieceRows - 1) / PieceRows, piece =>
        {
            var smoothed = new T[Inputs];
            for (var i = piece * PieceRows; i < Math.Min(Inputs, (piece + 1) * PieceRows); i++)
            {
                var scale = T.CreateTruncating(inverse[i]);
                var row = source.Row(i);
                for (var j = 0; j <= i; j++)
                {
                    smoothed[j] = row[j] * (scale * T.CreateTruncating(inverse[j]));
                }

                if (replaces)
                {
                    target.Row(i)[..(i + 1)].Clear();
                }

                Lanes.AddScaled<T>(T.CreateTruncating(weight), smoothed.AsSpan(0, i + 1), target.Row(i));
            }
        });
    }

    private void Flush()
    {
        if (_pendingCount > 0)
        {
            var rows = _pending!.Top(_pendingCount);
            _sum.Add(rows, rows);
            _pendingCount = 0;
        }
    }
}
