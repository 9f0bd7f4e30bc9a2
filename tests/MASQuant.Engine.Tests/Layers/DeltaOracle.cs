namespace MASQuant.Engine.Tests.Layers;

/// <summary>The gated delta rule of one head in FP64, as it is defined: token after token, and in chunks (Yang et al., 2024, "Parallelizing Linear Transformers with the Delta Rule"; with decay: 2025, "Gated Delta Networks").</summary>
internal sealed class DeltaOracle(int keys, int values)
{
    /// <summary>A token's query, key and value, its decay and strength.</summary>
    public sealed record Token(float[] Query, float[] Key, float[] Value, float Decay, float Strength);

    public double[,] State { get; } = new double[keys, values];

    /// <summary>S ← γS; S ← S + k ⊗ β(v − kᵀS); qᵀS.</summary>
    public double[] Take(Token token)
    {
        var output = new double[values];
        for (var j = 0; j < values; j++)
        {
            var read = 0.0;
            for (var i = 0; i < keys; i++)
            {
                State[i, j] *= token.Decay;
                read += State[i, j] * token.Key[i];
            }

            var written = token.Strength * (token.Value[j] - read);
            for (var i = 0; i < keys; i++)
            {
                State[i, j] += token.Key[i] * written;
                output[j] += State[i, j] * token.Query[i];
            }
        }

        return output;
    }

    /// <summary>The same of a chunk, by one triangular system: with g_i the product of decays up to i, (I + A) U = diag(β)(V − diag(g) K S), A_ij = β_i g_i/g_j k_i·k_j below the diagonal;
    /// then the outputs are diag(g) Q S + L U, L_ij = g_i/g_j q_i·k_j up to it, and S ← g_C S + Σ g_C/g_j k_j ⊗ u_j.</summary>
    public double[][] TakeChunk(IReadOnlyList<Token> chunk)
    {
        var (written, outputs, decay) = (new double[chunk.Count][], new double[chunk.Count][], new double[chunk.Count]);
        for (var i = 0; i < chunk.Count; i++)
        {
            decay[i] = chunk[i].Decay * (i == 0 ? 1 : decay[i - 1]);
            (written[i], outputs[i]) = (new double[values], new double[values]);
            for (var j = 0; j < values; j++)
            {
                written[i][j] = chunk[i].Strength * (chunk[i].Value[j] - (decay[i] * Read(chunk[i].Key, j)));
                outputs[i][j] = decay[i] * Read(chunk[i].Query, j);
            }

            for (var earlier = 0; earlier <= i; earlier++)
            {
                var (system, reads) = (chunk[i].Strength * decay[i] / decay[earlier] * Dot(chunk[i].Key, chunk[earlier].Key), decay[i] / decay[earlier] * Dot(chunk[i].Query, chunk[earlier].Key));
                for (var j = 0; j < values; j++)
                {
                    written[i][j] -= earlier < i ? system * written[earlier][j] : 0;
                    outputs[i][j] += reads * written[earlier][j];
                }
            }
        }

        for (var i = 0; i < keys; i++)
        {
            for (var j = 0; j < values; j++)
            {
                State[i, j] *= decay[^1];
                for (var t = 0; t < chunk.Count; t++)
                {
                    State[i, j] += decay[^1] / decay[t] * chunk[t].Key[i] * written[t][j];
                }
            }
        }

        return outputs;
    }

    /// <summary>The length of a column of the state.</summary>
    public double Length(int column) => Math.Sqrt(Enumerable.Range(0, keys).Sum(i => State[i, column] * State[i, column]));

    private double Read(float[] vector, int column)
    {
        var sum = 0.0;
        for (var i = 0; i < keys; i++)
        {
            sum += State[i, column] * vector[i];
        }

        return sum;
    }

    private static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
}
