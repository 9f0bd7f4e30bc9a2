using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Tests.Layers;

/// <summary>The state's update against its definition, on long prompts too, and the same bits wherever passes begin.</summary>
public sealed class DeltaRuleTests
{
    private const int Chunk = 64;
    private static readonly DeltaRuleStep Step = new(KeyHeads: 2, ValueHeads: 4, KeySize: 33, ValueSize: 64, "A", "offset"); // an odd last row of keys

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(4096)]
    public void Outputs_are_those_of_the_definition_token_by_token_and_in_chunks(int tokens)
    {
        var (x, a, b) = Inputs(tokens, seed: 1);
        var gates = Gates(2);
        var output = Run(gates, x.Copy(), a, b, [tokens]);
        var inputs = new DeltaInputs();
        inputs.Prepare(Step, gates, a, b, x);
        for (var head = 0; head < Step.ValueHeads; head++)
        {
            AssertHead(inputs, output, head, tokens);
        }
    }

    [Theory]
    [InlineData(1, 1, 1, 97)]
    [InlineData(7, 64, 29)]
    [InlineData(99, 1)]
    [InlineData(16, 17, 67)]
    public void Passes_may_begin_anywhere(params int[] passes)
    {
        var (x, a, b) = Inputs(100, seed: 3);
        Assert.Equal(Run(Gates(4), x.Copy(), a, b, [100]).Data, Run(Gates(4), x.Copy(), a, b, passes).Data);
    }

    [Fact]
    public void Several_sequences_are_each_as_if_alone()
    {
        const int Sequences = 3, Tokens = 5;
        var gates = Gates(5);
        var alone = Enumerable.Range(0, Sequences).Select(sequence => Inputs(Tokens, seed: 6 + sequence)).Select(of => Run(gates, of.X, of.A, of.B, [Tokens])).ToArray();
        var memories = Enumerable.Range(0, Sequences).Select(_ => new LayerMemory()).ToArray();
        var recurrence = new Recurrence();
        for (var token = 0; token < Tokens; token++)
        {
            var of = Enumerable.Range(0, Sequences).Select(sequence => Inputs(Tokens, seed: 6 + sequence)).ToArray();
            var (x, a, b) = (Rows([.. of.Select(one => one.X)], token), Rows([.. of.Select(one => one.A)], token), Rows([.. of.Select(one => one.B)], token));
            var output = new Matrix(Sequences, Step.ValueHeads * Step.ValueSize);
            recurrence.Begin(memories);
            recurrence.ApplyDeltaRule(Step, gates, a, b, x, output);
            for (var sequence = 0; sequence < Sequences; sequence++)
            {
                Assert.Equal(alone[sequence].Row(token).ToArray(), output.Row(sequence).ToArray());
            }
        }
    }

    // At 800 an exponential overflows, and the decay is still a half where A is small.
    [Theory]
    [InlineData(0.7f, 0.3f, -1.2f)]
    [InlineData(0.7f, -60f, 60f)]
    [InlineData(0.7f, 60f, -60f)]
    [InlineData(-7f, 800f, -800f)]
    public void Decay_and_strength_are_those_of_the_definition(float rate, float a, float b)
    {
        var (decays, strengths) = (new float[1], new float[1]);
        new DeltaGates([rate], [0.1f]).Apply([a], [b], decays, strengths);
        var x = (double)a + 0.1f;
        var softplus = Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));
        Assert.Equal((float)Math.Exp(-Math.Exp(rate) * softplus), decays[0], 1e-7f * decays[0]);
        Assert.Equal((float)(1 / (1 + Math.Exp(-b))), strengths[0], 1e-7f * strengths[0]);
    }

    // An error e of a column of the state, which (I − βkkᵀ)γ does not lengthen, is γe behind a token and what rounding adds to it: a sum of d_k products against a column of length s errs by d_k·u·s,
    // subtracting, scaling and writing by 4u of what is written, at most s + |v|, and decaying by 2u·s. The output adds d_k·u·s/√d_k of its own. FP64's own errors are 2⁻²⁹ of these.
    private static void AssertHead(DeltaInputs inputs, Matrix output, int head, int tokens)
    {
        const double Unit = 1.0 / (1 << 24);
        var (recurrent, chunked) = (new DeltaOracle(Step.KeySize, Step.ValueSize), new DeltaOracle(Step.KeySize, Step.ValueSize));
        var errors = new double[Step.ValueSize];
        for (var first = 0; first < tokens; first += Chunk)
        {
            DeltaOracle.Token[] chunk = [.. Enumerable.Range(first, Math.Min(Chunk, tokens - first)).Select(token => Token(inputs, head, token))];
            var together = chunked.TakeChunk(chunk);
            for (var t = 0; t < chunk.Length; t++)
            {
                double[] before = [.. Enumerable.Range(0, Step.ValueSize).Select(recurrent.Length)];
                var one = recurrent.Take(chunk[t]);
                for (var column = 0; column < Step.ValueSize; column++)
                {
                    var size = Math.Max(before[column], recurrent.Length(column)) + Math.Abs(chunk[t].Value[column]);
                    errors[column] = (chunk[t].Decay * errors[column]) + ((Step.KeySize + 6) * Unit * size);
                    var bound = (errors[column] + (Step.KeySize * Unit * size)) / Math.Sqrt(Step.KeySize);
                    var actual = output[first + t, (head * Step.ValueSize) + column];
                    Assert.True(Math.Abs(actual - one[column]) <= bound, $"Head {head}, token {first + t}, column {column}: {actual}, not {one[column]} ± {bound:E1}.");
                    Assert.True(Math.Abs(actual - together[t][column]) <= bound, $"Head {head}, token {first + t}, column {column} in chunks: {actual}, not {together[t][column]} ± {bound:E1}.");
                }
            }
        }
    }

    private static DeltaOracle.Token Token(DeltaInputs inputs, int head, int token)
    {
        var row = inputs.QueriesKeysValues.Row(token);
        var (keyHead, keys) = (head / 2, Step.KeySize);
        return new(
            row.Slice(keyHead * keys, keys).ToArray(),
            row.Slice((2 + keyHead) * keys, keys).ToArray(),
            row.Slice((4 * keys) + (head * Step.ValueSize), Step.ValueSize).ToArray(),
            inputs.Decays[(token * Step.ValueHeads) + head],
            inputs.Strengths[(token * Step.ValueHeads) + head]);
    }

    private static Matrix Run(DeltaGates gates, Matrix x, Matrix a, Matrix b, int[] passes)
    {
        var (memory, recurrence, output) = (new LayerMemory(), new Recurrence(), new Matrix(x.Rows, Step.ValueHeads * Step.ValueSize));
        var first = 0;
        foreach (var count in passes)
        {
            var part = new Matrix(count, output.Columns);
            recurrence.Begin([memory]);
            recurrence.ApplyDeltaRule(Step, gates, Part(a, first, count), Part(b, first, count), Part(x, first, count), part);
            part.Span.CopyTo(output.Span[(first * output.Columns)..]);
            first += count;
        }

        Assert.Equal(x.Rows, memory.Length);
        return output;
    }

    private static Matrix Part(Matrix x, int first, int count) => new(count, x.Columns, x.Span.Slice(first * x.Columns, count * x.Columns).ToArray());

    private static Matrix Rows(Matrix[] of, int row) => Matrix.Concatenate([.. of.Select(one => Part(one, row, 1))], of[0].Columns);

    private static DeltaGates Gates(int seed) => new(Values(seed, Step.ValueHeads, -1), Values(seed + 100, Step.ValueHeads, -3)); // half-lives of a few to hundreds of tokens

    private static (Matrix X, Matrix A, Matrix B) Inputs(int tokens, int seed)
    {
        var columns = (2 * Step.KeyHeads * Step.KeySize) + (Step.ValueHeads * Step.ValueSize);
        return (new Matrix(tokens, columns, Values(seed, tokens * columns, 0)), new Matrix(tokens, Step.ValueHeads, Values(seed + 10, tokens * Step.ValueHeads, 0)), new Matrix(tokens, Step.ValueHeads, Values(seed + 20, tokens * Step.ValueHeads, 0)));
    }

    private static float[] Values(int seed, int count, float mean)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => mean + (4 * random.NextSingle()) - 2)];
    }
}
