using MASQuant.Engine.Gemm;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Layers;

/// <summary>Layers of a head or a tower at 8 bits with one input, whose tokens get codes of 8 bits. Their weights may have more outputs and inputs than the layers, of zeros.</summary>
/// <remarks>Threads may share a group.</remarks>
/// <param name="weights">[N_i, K], filled up, in the order of their step's layers.</param>
/// <param name="input">What is done to their input.</param>
/// <param name="backend">Executes the products.</param>
/// <param name="pool">Working memory, which groups of a model share.</param>
public sealed class CodedLinearGroup(IReadOnlyList<QuantizedWeight> weights, InputTransform input, IGemmBackend backend, PreparedTokensPool pool) : ILinearGroup
{
    /// <inheritdoc/>
    public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outputs.Length, weights.Count);
        var tokens = pool.Rent();
        var text = modalities.Count == x.Rows && modalities.IsTextOnly ? modalities : ModalityMap.Text(x.Rows); // Nothing here depends on it; a tower has none.
        backend.Prepare(WithColumns(x, weights[0].Inputs, tokens), text, input, weights[0].Scheme, tokens);
        for (var i = 0; i < outputs.Length; i++)
        {
            if (outputs[i].Columns == weights[i].Outputs)
            {
                backend.Multiply(tokens, weights[i], outputs[i]);
                continue;
            }

            var filled = tokens.Spare(x.Rows, weights[i].Outputs);
            backend.Multiply(tokens, weights[i], filled);
            for (var row = 0; row < x.Rows; row++)
            {
                filled.Row(row)[..outputs[i].Columns].CopyTo(outputs[i].Row(row));
            }
        }

        pool.Return(tokens);
    }

    private static Matrix WithColumns(Matrix x, int columns, PreparedTokens tokens)
    {
        if (x.Columns == columns)
        {
            return x;
        }

        var filled = tokens.Spare(x.Rows, columns);
        for (var row = 0; row < x.Rows; row++)
        {
            x.Row(row).CopyTo(filled.Row(row));
            filled.Row(row)[x.Columns..].Clear();
        }

        return filled;
    }
}
