using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;

namespace MASQuant.Quantization.Smoothing;

/// <summary>The gated delta rule over one sequence, with gradients.</summary>
/// <param name="step">Heads and their widths.</param>
/// <param name="decay">A, a value for each value head.</param>
/// <param name="offset">What is added to a, a value for each value head.</param>
internal sealed class DeltaRuleSimulation(DeltaRuleStep step, float[] decay, float[] offset) : SimulatedStep
{
    private readonly float _scale = 1 / MathF.Sqrt(step.KeySize);
    private Matrix _a = new(0, 0);
    private Matrix _b = new(0, 0);
    private Matrix _x = new(0, 0);
    private DeltaGradient[] _heads = [];

    /// <inheritdoc/>
    public override void Forward(SimulatedRun run)
    {
        (_a, _b, _x) = (run.Take(), run.Take(), run.Take());
        var output = new Matrix(_x.Rows, step.ValueHeads * step.ValueSize);
        _heads = new DeltaGradient[step.ValueHeads];
        Workers.For(step.ValueHeads, head =>
        {
            var (queries, keys) = (Unit(KeyHead(head), _scale), Unit(step.KeyHeads + KeyHead(head), 1));
            _heads[head] = new DeltaGradient(queries, keys, Columns(_x, ValueColumn(head), step.ValueSize), [.. Rows.Select(t => Decay(t, head))], [.. Rows.Select(t => Strength(t, head))]);
            SetColumns(_heads[head].Forward(), output, head * step.ValueSize);
        });
        run.Put(output);
    }

    /// <inheritdoc/>
    public override void Backward(SimulatedRun run)
    {
        var upstream = run.Take();
        var (a, b, x) = (new Matrix(_a.Rows, _a.Columns), new Matrix(_b.Rows, _b.Columns), new Matrix(_x.Rows, _x.Columns));
        Workers.For(step.KeyHeads, keyHead =>
        {
            var shared = step.ValueHeads / step.KeyHeads;
            var (queries, keys) = (new Matrix(x.Rows, step.KeySize), new Matrix(x.Rows, step.KeySize));
            for (var head = keyHead * shared; head < (keyHead + 1) * shared; head++)
            {
                var gradient = _heads[head];
                gradient.Backward(Columns(upstream, head * step.ValueSize, step.ValueSize));
                AddTo(queries, gradient.Queries);
                AddTo(keys, gradient.Keys);
                SetColumns(gradient.Values, x, ValueColumn(head));
                for (var t = 0; t < x.Rows; t++)
                {
                    // γ = exp(−exp(A)·softplus(y)): dγ/dy = −γ·exp(A)·σ(y).
                    var (decays, strength) = (Decay(t, head), Strength(t, head));
                    a[t, head] = -gradient.Decays[t] * decays * (float)Elementary.Exp(decay[head]) / (1 + (float)Elementary.Exp(-(_a[t, head] + offset[head])));
                    b[t, head] = gradient.Strengths[t] * strength * (1 - strength);
                }
            }

            SetThroughUnit(queries, keyHead, _scale, x);
            SetThroughUnit(keys, step.KeyHeads + keyHead, 1, x);
        });
        run.Put(a, b, x);
    }

    private IEnumerable<int> Rows => Enumerable.Range(0, _x.Rows);

    private int KeyHead(int head) => head / (step.ValueHeads / step.KeyHeads);

    private int ValueColumn(int head) => (2 * step.KeyHeads * step.KeySize) + (head * step.ValueSize);

    private float Decay(int t, int head)
    {
        var y = (double)_a[t, head] + offset[head];
        return (float)Elementary.Exp(-Elementary.Exp(decay[head]) * (Math.Max(y, 0) + Elementary.Log(1 + Elementary.Exp(-Math.Abs(y)))));
    }

    private float Strength(int t, int head) => 1 / (1 + (float)Elementary.Exp(-_b[t, head]));

    // x·scale/√(Σx² + ε) of a query or key head.
    private Matrix Unit(int head, float scale)
    {
        var unit = Columns(_x, head * step.KeySize, step.KeySize);
        for (var t = 0; t < unit.Rows; t++)
        {
            var factor = scale / MathF.Sqrt(Squares(unit.Row(t)));
            foreach (ref var value in unit.Row(t))
            {
                value *= factor;
            }
        }

        return unit;
    }

    // dx = scale·(d − x·(x·d)/s)/√s with s = Σx² + ε.
    private void SetThroughUnit(Matrix gradient, int head, float scale, Matrix result)
    {
        var x = Columns(_x, head * step.KeySize, step.KeySize);
        for (var t = 0; t < x.Rows; t++)
        {
            var (squares, along) = (Squares(x.Row(t)), 0f);
            for (var i = 0; i < step.KeySize; i++)
            {
                along = MathF.FusedMultiplyAdd(x[t, i], gradient[t, i], along);
            }

            for (var i = 0; i < step.KeySize; i++)
            {
                result[t, (head * step.KeySize) + i] = scale * (gradient[t, i] - (x[t, i] * along / squares)) / MathF.Sqrt(squares);
            }
        }
    }

    private static float Squares(ReadOnlySpan<float> x)
    {
        var sum = DeltaRuleStep.LengthEpsilon;
        foreach (var value in x)
        {
            sum = MathF.FusedMultiplyAdd(value, value, sum);
        }

        return sum;
    }

    private static void AddTo(Matrix sum, Matrix x)
    {
        for (var i = 0; i < x.Span.Length; i++)
        {
            sum.Span[i] += x.Span[i];
        }
    }

    private static Matrix Columns(Matrix x, int start, int count)
    {
        var part = new Matrix(x.Rows, count);
        for (var t = 0; t < x.Rows; t++)
        {
            x.Row(t).Slice(start, count).CopyTo(part.Row(t));
        }

        return part;
    }

    private static void SetColumns(Matrix part, Matrix x, int start)
    {
        for (var t = 0; t < x.Rows; t++)
        {
            part.Row(t).CopyTo(x.Row(t)[start..]);
        }
    }
}
