using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Smoothing;

/// <summary>Causal grouped-query attention over one sequence, with gradients.</summary>
/// <param name="heads">Query heads.</param>
/// <param name="keyValueHeads">Key and value heads.</param>
/// <param name="headSize">d.</param>
internal sealed class AttentionSimulation(int heads, int keyValueHeads, int headSize) : SimulatedStep
{
    private readonly float _scale = 1 / MathF.Sqrt(headSize);
    private Matrix _queries = new(0, 0);
    private Matrix _keys = new(0, 0);
    private Matrix _values = new(0, 0);
    private Matrix[] _probabilities = [];

    /// <inheritdoc/>
    public override void Forward(SimulatedRun run) => run.Put(Attend(run.Take(), run.Take(), run.Take()));

    /// <inheritdoc/>
    public override void Backward(SimulatedRun run)
    {
        var (queries, keys, values) = Through(run.Take());
        run.Put(queries, keys, values);
    }

    // softmax(q·kᵀ/√d)·v, [T, heads·d].
    private Matrix Attend(Matrix queries, Matrix keys, Matrix values)
    {
        (_queries, _keys, _values) = (queries, keys, values);
        var tokens = queries.Rows;
        var output = new Matrix(tokens, heads * headSize);
        _probabilities = new Matrix[heads];
        Workers.For(heads, head =>
        {
            var (q, kv) = (head * headSize, head / (heads / keyValueHeads) * headSize);
            var probabilities = _probabilities[head] = new Matrix(tokens, tokens);
            FloatGemm.MultiplyNT(tokens, tokens, headSize, queries.Span[q..], queries.Columns, keys.Span[kv..], keys.Columns, probabilities.Span, tokens);
            for (var t = 0; t < tokens; t++)
            {
                Softmax.Apply(probabilities.Row(t)[..(t + 1)], _scale);
                probabilities.Row(t)[(t + 1)..].Clear();
            }

            FloatGemm.MultiplyNN(tokens, headSize, tokens, probabilities.Span, tokens, values.Span[kv..], values.Columns, output.Span[q..], output.Columns);
        });
        return output;
    }

    // ∂loss/∂(q, k, v), given ∂loss/∂output.
    private (Matrix Queries, Matrix Keys, Matrix Values) Through(Matrix outputGradient)
    {
        var tokens = outputGradient.Rows;
        var queries = new Matrix(tokens, heads * headSize);
        var keys = new Matrix(tokens, keyValueHeads * headSize);
        var values = new Matrix(tokens, keyValueHeads * headSize);
        var shared = heads / keyValueHeads;
        Workers.For(keyValueHeads, kvHead =>
        {
            var kv = kvHead * headSize;
            var keyPart = new Matrix(tokens, headSize);
            var valuePart = new Matrix(tokens, headSize);
            var scores = new Matrix(tokens, tokens);
            var queryPart = new Matrix(tokens, headSize);
            for (var head = kvHead * shared; head < (kvHead + 1) * shared; head++)
            {
                var q = head * headSize;
                var upstream = Columns(outputGradient, q);
                var probabilities = _probabilities[head];
                FloatGemm.Multiply(probabilities, transposeA: true, upstream, transposeB: false, valuePart, accumulate: true);
                FloatGemm.Multiply(upstream, transposeA: false, Columns(_values, kv), transposeB: true, scores, accumulate: false);
                ThroughSoftmax(probabilities, scores);
                FloatGemm.Multiply(scores, transposeA: false, Columns(_keys, kv), transposeB: false, queryPart, accumulate: false);
                FloatGemm.Multiply(scores, transposeA: true, Columns(_queries, q), transposeB: false, keyPart, accumulate: true);
                SetColumns(queryPart, queries, q);
            }

            SetColumns(keyPart, keys, kv);
            SetColumns(valuePart, values, kv);
        });
        return (queries, keys, values);
    }

    // dS = scale · P ⊙ (dP − Σ P⊙dP), in place of dP.
    private void ThroughSoftmax(Matrix probabilities, Matrix gradient)
    {
        for (var t = 0; t < gradient.Rows; t++)
        {
            var p = probabilities.Row(t);
            var g = gradient.Row(t);
            var mean = 0f;
            for (var s = 0; s <= t; s++)
            {
                mean = MathF.FusedMultiplyAdd(p[s], g[s], mean);
            }

            for (var s = 0; s <= t; s++)
            {
                g[s] = _scale * p[s] * (g[s] - mean);
            }

            g[(t + 1)..].Clear();
        }
    }

    private Matrix Columns(Matrix x, int start)
    {
        var part = new Matrix(x.Rows, headSize);
        for (var t = 0; t < x.Rows; t++)
        {
            x.Row(t).Slice(start, headSize).CopyTo(part.Row(t));
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
