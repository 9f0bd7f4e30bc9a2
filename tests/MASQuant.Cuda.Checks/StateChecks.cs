using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;

namespace MASQuant.Cuda.Checks;

/// <summary>Layers that carry a state, and gates of outputs: exact.</summary>
internal static class StateChecks
{
    // Behind a sequence's tokens stand rows that are none.
    private const int Padded = 64;

    public static IReadOnlyList<DeviceCheck> All { get; } =
    [
        .. from tokens in (int[])[1, 2, 3, 33, 64] from cached in (int[])[0, 9] select new DeviceCheck($"convolve: {tokens} of one sequence after {cached}", device => Convolve(device, tokens, cached)),
        new("convolve: one of each of 3", ConvolveApart),
        .. from size in (int[])[32, 64, 128] from cached in (int[])[0, 9] select new DeviceCheck($"delta_rule: 5 of one sequence after {cached}, keys of {size}", device => Rule(device, size, 5, cached)),
        new("delta_rule: one of each of 3", RuleApart),
        new("delta_inputs: gates far from zero", Gates),
        .. ((int[])[32, 128, 48]).Select(size => new DeviceCheck($"norm_gated: 9 heads of {size}", device => NormGated(device, size))),
        new("split_gates: 3 + 2 heads of 64", Split), new("gate_output: 3 heads of 64", Gate),
    ];

    private static void Convolve(ICudaDevice device, int tokens, int cached)
    {
        var (step, random, stride) = (new ConvolveStep("", 300, 4), new Random(tokens + cached), 310);
        float[] x = Values(random, Padded * stride), weights = Values(random, step.Channels * step.Width), before = Values(random, 3 * step.Channels);
        var window = new ConvolutionWindow(step);
        window.Set(cached == 0 ? new float[before.Length] : before, cached);
        var expected = Part(x, Padded, stride, step.Channels).Top(tokens);
        window.Convolve(new CausalConvolution(weights, step.Channels, step.Width), expected, 0, tokens, keeps: false);

        using var operands = new Operands(device, tokens, [cached]);
        using var rows = new DeviceArray<float>(device, x);
        using var taps = new DeviceArray<float>(device, weights);
        using var kept = new DeviceArray<float>(device, before);
        using var output = new DeviceArray<float>(device, Padded * step.Channels);
        device.Launch(StateKernels.Convolve(step, rows.Pointer, stride, taps.Pointer, operands.Counts, kept.Pointer, apart: false, output.Pointer, Padded));
        Require.Equal<float>(expected.Span, output.Read().AsSpan(0, expected.Span.Length), "rows");
        Require.EqualEach(window.Current, kept.Read(), "the window");
    }

    private static void ConvolveApart(ICudaDevice device)
    {
        const int Sequences = 3;
        var (step, random) = (new ConvolveStep("", 40, 4), new Random(4));
        float[] x = Values(random, Sequences * step.Channels), weights = Values(random, step.Channels * step.Width), before = Values(random, Sequences * 3 * step.Channels);
        int[] cached = [7, 0, 1];
        using var operands = new Operands(device, Sequences, cached);
        using var rows = new DeviceArray<float>(device, x);
        using var taps = new DeviceArray<float>(device, weights);
        using var kept = new DeviceArray<float>(device, before);
        using var output = new DeviceArray<float>(device, x.Length);
        device.Launch(StateKernels.Convolve(step, rows.Pointer, step.Channels, taps.Pointer, operands.Counts, kept.Pointer, apart: true, output.Pointer, Sequences));
        for (var sequence = 0; sequence < Sequences; sequence++)
        {
            var window = new ConvolutionWindow(step);
            window.Set(cached[sequence] == 0 ? new float[3 * step.Channels] : before.AsSpan(sequence * 3 * step.Channels, 3 * step.Channels), cached[sequence]);
            var row = new Matrix(1, step.Channels, x[(sequence * step.Channels)..((sequence + 1) * step.Channels)]);
            window.Convolve(new CausalConvolution(weights, step.Channels, step.Width), row, 0, 1, keeps: false);
            Require.Equal<float>(row.Span, output.Read().AsSpan(sequence * step.Channels, step.Channels), $"row {sequence}");
            Require.Equal<float>(window.Current, kept.Read().AsSpan(sequence * 3 * step.Channels, 3 * step.Channels), $"window {sequence}");
        }
    }

    private static void Rule(ICudaDevice device, int keySize, int tokens, int cached)
    {
        var problem = new RuleProblem(keySize, Padded, seed: keySize + cached);
        var (expected, state) = problem.Expect(0, tokens, cached);
        var (output, states) = problem.Run(device, tokens, [cached], apart: false);
        Require.Equal<float>(expected, output.AsSpan(0, expected.Length), "rows");
        Require.EqualEach(new float[output.Length - expected.Length], output[expected.Length..], "rows that are no tokens");
        Require.Equal<float>(state, states.AsSpan(0, state.Length), "the state");
    }

    private static void RuleApart(ICudaDevice device)
    {
        int[] cached = [7, 0, 1];
        var problem = new RuleProblem(32, cached.Length, seed: 5, cached.Length);
        var (output, states) = problem.Run(device, cached.Length, cached, apart: true);
        for (var sequence = 0; sequence < cached.Length; sequence++)
        {
            var (expected, state) = problem.Expect(sequence, 1, cached[sequence], sequence);
            Require.Equal<float>(expected, output.AsSpan(sequence * expected.Length, expected.Length), $"row {sequence}");
            Require.Equal<float>(state, states.AsSpan(sequence * state.Length, state.Length), $"state {sequence}");
        }
    }

    // Where softplus is the identity, where it is an exponential, and where an exponential ends in 0 or overflows.
    private static void Gates(ICudaDevice device)
    {
        float[] far = [-800, -90, -40.5f, -20, -1e-6f, 0, 1e-6f, 0.4f, 20, 39.9f, 40.1f, 700, 3e38f];
        var step = new DeltaRuleStep(1, far.Length, 32, 32, "", "");
        var (random, decay, offset) = (new Random(1), far.Select(value => Math.Clamp(value, -90, 90)).ToArray(), new float[far.Length]);
        float[] x = Values(random, far.Length * 64), ab = [.. far.SelectMany(value => Enumerable.Repeat(value, far.Length).Concat(far))];
        var (decays, strengths) = (new float[far.Length], new float[far.Length]);
        using var rows = new DeviceArray<float>(device, x);
        using var ruling = new DeviceArray<float>(device, ab);
        using var a = new DeviceArray<float>(device, decay);
        using var b = new DeviceArray<float>(device, offset);
        using var gates = new DeviceArray<float>(device, far.Length * 2 * far.Length);
        device.Launch(StateKernels.DeltaInputs(step, rows.Pointer, 64, ruling.Pointer, 2 * far.Length, a.Pointer, b.Pointer, gates.Pointer, far.Length));
        for (var row = 0; row < far.Length; row++)
        {
            new DeltaGates(decay, offset).Apply(ab.AsSpan(2 * row * far.Length, far.Length), ab.AsSpan(((2 * row) + 1) * far.Length, far.Length), decays, strengths);
            Require.Equal<float>(decays, gates.Read().AsSpan(2 * row * far.Length, far.Length), $"decays under {far[row]}");
            Require.Equal<float>(strengths, gates.Read().AsSpan(((2 * row) + 1) * far.Length, far.Length), $"strengths of row {row}");
        }
    }

    private static void NormGated(ICudaDevice device, int size)
    {
        const int Heads = 9;
        const int Tokens = 3;
        var (random, stride) = (new Random(size), (Heads * size) + 40);
        var (x, gate) = (new Matrix(Tokens, Heads * size, Values(random, Tokens * Heads * size, 5)), Values(random, Tokens * stride, 30));
        var norm = new Norm(new NormDescription("", NormKind.RootMeanSquare, size, 1e-6f), Values(random, size), []);
        using var rows = new DeviceArray<float>(device, x.Data);
        using var gates = new DeviceArray<float>(device, gate);
        using var gain = new DeviceArray<float>(device, norm.Gain);
        device.Launch(StateKernels.NormGated(rows.Pointer, Heads, norm.Description, gain.Pointer, gates.Pointer + (40 * sizeof(float)), stride, Tokens));
        norm.ApplyToHeads(x);
        for (var row = 0; row < Tokens; row++)
        {
            Silu.Multiply(gate.AsSpan((row * stride) + 40, Heads * size), x.Row(row), x.Row(row));
        }

        Require.EqualEach(x.Data, rows.Read(), "rows");
    }

    private static void Split(ICudaDevice device)
    {
        var (source, operands, _) = Gated();
        using var both = new DeviceArray<float>(device, source.Data);
        using var split = new DeviceArray<float>(device, operands.Data.Length);
        device.Launch(StateKernels.SplitGates(both.Pointer, source.Columns, new HeadShape(3, 2, 64), split.Pointer, source.Rows));
        Require.EqualEach(operands.Data, split.Read(), "queries, keys and values");
    }

    private static void Gate(ICudaDevice device)
    {
        var (source, _, gates) = Gated();
        var x = new Matrix(gates.Rows, gates.Columns, Values(new Random(3), gates.Data.Length));
        using var both = new DeviceArray<float>(device, source.Data);
        using var attended = new DeviceArray<float>(device, x.Data);
        device.Launch(StateKernels.GateOutput(attended.Pointer, 3, 64, both.Pointer, source.Columns, source.Rows));
        Sigmoid.Multiply(x, gates);
        Require.EqualEach(x.Data, attended.Read(), "gated rows");
    }

    // What a projection leaves for 3 query heads with gates and 2 key heads of 64 values, and the same taken apart.
    private static (Matrix Source, Matrix Operands, Matrix Gates) Gated()
    {
        const int Size = 64;
        var source = new Matrix(3, 10 * Size, Values(new Random(2), 3 * 10 * Size, 9));
        var (operands, gates) = (new Matrix(3, 7 * Size), new Matrix(3, 3 * Size));
        for (var row = 0; row < source.Rows; row++)
        {
            for (var head = 0; head < 3; head++)
            {
                source.Row(row).Slice(2 * head * Size, Size).CopyTo(operands.Row(row)[(head * Size)..]);
                source.Row(row).Slice(((2 * head) + 1) * Size, Size).CopyTo(gates.Row(row)[(head * Size)..]);
            }

            source.Row(row)[(6 * Size)..].CopyTo(operands.Row(row)[(3 * Size)..]);
        }

        return (source, operands, gates);
    }

    internal static float[] Values(Random random, int count, float range = 1) => [.. Enumerable.Range(0, count).Select(_ => ((random.NextSingle() * 2) - 1) * range)];

    private static Matrix Part(float[] x, int rows, int stride, int columns)
    {
        var part = new Matrix(rows, columns);
        for (var row = 0; row < rows; row++)
        {
            x.AsSpan(row * stride, columns).CopyTo(part.Row(row));
        }

        return part;
    }

    /// <summary>How many tokens there are, on a device.</summary>
    internal sealed class Operands : IDisposable
    {
        private readonly DeviceArray<int> _words;

        public Operands(ICudaDevice device, int count, int[] cached) => _words = new DeviceArray<int>(device, [0, count, .. cached]);

        public StepCounts Counts => new(_words.Pointer, _words.Pointer + (2 * sizeof(int)));

        public void Dispose() => _words.Dispose();
    }
}
