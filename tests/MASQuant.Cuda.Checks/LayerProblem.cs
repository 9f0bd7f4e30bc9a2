using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Checks;

/// <summary>Random layers of one input group and their input, with the scalar backend's answer.</summary>
internal sealed class LayerProblem
{
    private readonly Random _random;

    public LayerProblem(QuantizationScheme scheme, int tokens, int[] outputs, int inputs, Modality[]? modalities = null, int[]? ranks = null, int seed = 1)
    {
        _random = new Random(seed);
        Scheme = scheme;
        X = NewMatrix(tokens, inputs);
        NamesModalities = modalities is not null;
        Modalities = modalities is null ? ModalityMap.Text(tokens) : new ModalityMap([.. Enumerable.Range(0, tokens).Select(i => modalities[Math.Min(i, modalities.Length - 1)])]);
        InverseSmoothing = [[], [.. NewMatrix(1, inputs).Data.Select(MathF.Abs)], [.. NewMatrix(1, inputs).Data.Select(MathF.Abs)]];
        Weights = [.. outputs.Select((n, i) => NewWeight(n, inputs, ranks is null ? 0 : ranks[i]))];
    }

    public QuantizationScheme Scheme { get; }

    public Matrix X { get; }

    public ModalityMap Modalities { get; }

    /// <summary>Whether the kernels are told the modalities; where not, all is text.</summary>
    public bool NamesModalities { get; }

    public float[][] InverseSmoothing { get; }

    public int RotationBlock { get; init; }

    public InputTransform Input => new(InverseSmoothing, RotationBlock);

    public QuantizedWeight[] Weights { get; }

    public PreparedTokens Prepare()
    {
        var tokens = new PreparedTokens();
        new ScalarGemmBackend().Prepare(X, Modalities, Input, Scheme, tokens);
        return tokens;
    }

    /// <summary>What the CPU says, layer by layer.</summary>
    public Matrix[] Expect(PreparedTokens tokens) => [.. Weights.Select(weight =>
    {
        var y = new Matrix(X.Rows, weight.Outputs);
        new CpuGemmBackend().Multiply(tokens, weight, y);
        return y;
    })];

    public Matrix NewMatrix(int rows, int columns)
    {
        var matrix = new Matrix(rows, columns);
        foreach (ref var value in matrix.Span)
        {
            value = (float)(_random.NextDouble() - 0.5);
        }

        return matrix;
    }

    private QuantizedWeight NewWeight(int outputs, int inputs, int rank)
    {
        var unsigned = !Scheme.QuantizesActivations;
        var groups = unsigned ? inputs / PackingLayout.GroupSize : 1;
        var codes = new sbyte[outputs * inputs];
        var (low, high) = unsigned ? (0, 16) : Scheme.WeightBits == 8 ? (-128, 128) : (-8, 8);
        for (var i = 0; i < codes.Length; i++)
        {
            codes[i] = (sbyte)_random.Next(low, high);
        }

        return new QuantizedWeight
        {
            Scheme = Scheme,
            Outputs = outputs,
            Inputs = inputs,
            Codes = CodePacking.Pack(codes, outputs, inputs, Scheme.WeightBits, unsigned),
            Scales = NewMatrix(1, outputs * groups).Data,
            ZeroPoints = unsigned ? [.. Enumerable.Range(0, outputs * groups).Select(_ => (byte)_random.Next(16))] : Array.Empty<byte>(),
            Bias = NewMatrix(1, outputs).Data,
            Patches = rank == 0
                ? new LowRankFactors?[3]
                : [null, new LowRankFactors(NewMatrix(inputs, rank), NewMatrix(rank, outputs)), new LowRankFactors(NewMatrix(inputs, rank + 5), NewMatrix(rank + 5, outputs))],
        };
    }
}
