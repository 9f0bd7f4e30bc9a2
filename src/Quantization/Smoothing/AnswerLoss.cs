using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Quantization.Smoothing;

/// <summary>−log p of the expected answer, mean per token; of every text token where the sample has no answer.</summary>
/// <param name="norm">Before the head.</param>
/// <param name="head">[V, H].</param>
internal sealed class AnswerLoss(Norm norm, Matrix head)
{
    // Bounds the logits that are held.
    private const int Rows = 64;

    /// <summary>∂loss/∂hidden, [T, H].</summary>
    /// <param name="hidden">The last block's output, [T, H].</param>
    /// <param name="sample">Its tokens.</param>
    public Matrix Gradient(Matrix hidden, CalibrationSequence sample)
    {
        int[] positions = [.. Predicted(sample)];
        var gradient = new Matrix(hidden.Rows, hidden.Columns);
        for (var start = 0; start < positions.Length; start += Rows)
        {
            var rows = positions.AsSpan(start, Math.Min(Rows, positions.Length - start)).ToArray();
            var part = TokenRows.Gather(hidden, rows);
            var normed = new Matrix(part.Rows, part.Columns);
            norm.Apply(part, normed);
            var logits = new Matrix(part.Rows, head.Rows);
            FloatGemm.Multiply(normed, transposeA: false, head, transposeB: true, logits, accumulate: false);
            for (var i = 0; i < rows.Length; i++)
            {
                // ∂(−log p_next)/∂logits = p − 1[next].
                Softmax.Apply(logits.Row(i), 1);
                logits[i, sample.InputIds[rows[i] + 1]] -= 1;
                foreach (ref var value in logits.Row(i))
                {
                    value /= positions.Length;
                }
            }

            FloatGemm.Multiply(logits, transposeA: false, head, transposeB: false, normed, accumulate: false);
            TokenRows.AddTo(NormGradient.Through(part, norm, normed), rows, gradient);
        }

        return gradient;
    }

    // The positions whose next token counts.
    private static IEnumerable<int> Predicted(CalibrationSequence sample)
    {
        var (start, length) = sample.AnswerRange.GetOffsetAndLength(sample.InputIds.Length);
        return length > 0 && start > 0
            ? Enumerable.Range(start - 1, length)
            : Enumerable.Range(0, Math.Max(0, sample.InputIds.Length - 1)).Where(t => sample.Modalities[t + 1] == Modality.Text);
    }
}
