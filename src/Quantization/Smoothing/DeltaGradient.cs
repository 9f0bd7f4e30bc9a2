using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MASQuant.Quantization.Smoothing;

/// <summary>The gated delta rule of one value head over a sequence, and its gradient through time. Of the states those at every few tokens are kept; between them they are computed again.</summary>
/// <param name="queries">[T, d_k].</param>
/// <param name="keys">[T, d_k].</param>
/// <param name="values">[T, d_v].</param>
/// <param name="decays">γ, T values.</param>
/// <param name="strengths">β, T values.</param>
internal sealed class DeltaGradient(Matrix queries, Matrix keys, Matrix values, float[] decays, float[] strengths)
{
    private const int Stretch = 32;
    private readonly int _size = checked(keys.Columns * values.Columns);
    private readonly List<float[]> _kept = [];

    /// <summary>∂loss/∂queries.</summary>
    public Matrix Queries { get; } = new(queries.Rows, queries.Columns);

    /// <summary>∂loss/∂keys.</summary>
    public Matrix Keys { get; } = new(keys.Rows, keys.Columns);

    /// <summary>∂loss/∂values.</summary>
    public Matrix Values { get; } = new(values.Rows, values.Columns);

    /// <summary>∂loss/∂γ.</summary>
    public float[] Decays { get; } = new float[decays.Length];

    /// <summary>∂loss/∂β.</summary>
    public float[] Strengths { get; } = new float[strengths.Length];

    /// <summary>The outputs, [T, d_v].</summary>
    public Matrix Forward()
    {
        var (output, state) = (new Matrix(values.Rows, values.Columns), new float[_size]);
        for (var t = 0; t < values.Rows; t++)
        {
            if (t % Stretch == 0)
            {
                _kept.Add([.. state]);
            }

            Take(t, state, state, new float[values.Columns]);
            for (var i = 0; i < keys.Columns; i++)
            {
                Add(output.Row(t), queries[t, i], Row(state, i));
            }
        }

        return output;
    }

    /// <summary>Computes the gradients of the last <see cref="Forward"/>.</summary>
    /// <param name="gradient">∂loss/∂output, [T, d_v].</param>
    public void Backward(Matrix gradient)
    {
        var states = Enumerable.Range(0, Stretch + 1).Select(_ => new float[_size]).ToArray();
        var (written, through) = (Enumerable.Range(0, Stretch).Select(_ => new float[values.Columns]).ToArray(), new float[_size]);
        for (var stretch = _kept.Count - 1; stretch >= 0; stretch--)
        {
            var (first, count) = (stretch * Stretch, Math.Min(Stretch, values.Rows - (stretch * Stretch)));
            _kept[stretch].CopyTo(states[0], 0);
            for (var t = 0; t < count; t++)
            {
                Take(first + t, states[t], states[t + 1], written[t]);
            }

            for (var t = count - 1; t >= 0; t--)
            {
                Through(first + t, gradient.Row(first + t), states[t], states[t + 1], written[t], through);
            }
        }
    }

    // S' = γS; u = β(v − kᵀS'); S' + k ⊗ u.
    private void Take(int t, float[] before, float[] after, float[] written)
    {
        Array.Clear(written);
        for (var i = 0; i < keys.Columns; i++)
        {
            Scale(Row(before, i), decays[t], Row(after, i));
            Add(written, -keys[t, i], Row(after, i));
        }

        Add(written, 1, values.Row(t));
        Scale(written, strengths[t], written);
        for (var i = 0; i < keys.Columns; i++)
        {
            Add(Row(after, i), keys[t, i], written);
        }
    }

    // With dS of what follows: dS += q ⊗ do, dq = S·do, du = kᵀdS, dk = dS·u, and through u = β(v − γkᵀS₋): dv = β·du, dβ = du·u/β, dS' = dS − k ⊗ dv, dk −= γS₋·dv, dγ = dS'·S₋, dS₋ = γdS'.
    private void Through(int t, ReadOnlySpan<float> gradient, float[] before, float[] after, float[] written, float[] through)
    {
        var value = Values.Row(t);
        for (var i = 0; i < keys.Columns; i++)
        {
            var row = Row(through, i);
            Add(row, queries[t, i], gradient);
            Queries[t, i] = Dot(Row(after, i), gradient);
            Keys[t, i] = Dot(row, written);
            Add(value, keys[t, i], row);
        }

        Strengths[t] = strengths[t] == 0 ? 0 : Dot(value, written) / strengths[t];
        Scale(value, strengths[t], value);
        var decay = 0f;
        for (var i = 0; i < keys.Columns; i++)
        {
            var row = Row(through, i);
            Add(row, -keys[t, i], value);
            Keys[t, i] -= decays[t] * Dot(Row(before, i), value);
            decay += Dot(row, Row(before, i));
            Scale(row, decays[t], row);
        }

        Decays[t] = decay;
    }

    private Span<float> Row(float[] state, int row) => state.AsSpan(row * values.Columns, values.Columns);

    private static void Scale(ReadOnlySpan<float> x, float factor, Span<float> result)
    {
        var to = MemoryMarshal.Cast<float, Vector512<float>>(result);
        var (from, by) = (0, Vector512.Create(factor));
        foreach (var lanes in MemoryMarshal.Cast<float, Vector512<float>>(x))
        {
            to[from++] = lanes * by;
        }

        for (var i = to.Length * Vector512<float>.Count; i < x.Length; i++)
        {
            result[i] = x[i] * factor;
        }
    }

    private static void Add(Span<float> sum, float factor, ReadOnlySpan<float> x)
    {
        var to = MemoryMarshal.Cast<float, Vector512<float>>(sum);
        var (from, by) = (0, Vector512.Create(factor));
        foreach (var lanes in MemoryMarshal.Cast<float, Vector512<float>>(x))
        {
            to[from] = Vector512.FusedMultiplyAdd(lanes, by, to[from]);
            from++;
        }

        for (var i = to.Length * Vector512<float>.Count; i < x.Length; i++)
        {
            sum[i] = MathF.FusedMultiplyAdd(factor, x[i], sum[i]);
        }
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var other = MemoryMarshal.Cast<float, Vector512<float>>(b);
        var (from, lanes) = (0, Vector512<float>.Zero);
        foreach (var values in MemoryMarshal.Cast<float, Vector512<float>>(a))
        {
            lanes = Vector512.FusedMultiplyAdd(values, other[from++], lanes);
        }

        var sum = Vector512.Sum(lanes);
        for (var i = other.Length * Vector512<float>.Count; i < a.Length; i++)
        {
            sum = MathF.FusedMultiplyAdd(a[i], b[i], sum);
        }

        return sum;
    }
}
