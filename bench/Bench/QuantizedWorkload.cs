using System.Runtime.InteropServices;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Bench;

/// <summary>A quantized linear layer with random content, in as many copies as it takes to find none of them in a cache.</summary>
internal sealed class QuantizedWorkload
{
    private readonly QuantizedWeight[] _copies;
    private readonly PreparedTokens _tokens = new();
    private readonly InputTransform _input;
    private readonly InputTransform _rotated;
    private readonly Matrix _x;
    private readonly Matrix _y;
    private int _next;

    public QuantizedWorkload(QuantizationScheme scheme, GemmProblem problem, long cacheBytes = 0)
    {
        var random = new Random(1);
        _x = RandomMatrix(random, problem.M, problem.K);
        _y = new Matrix(problem.M, problem.N);
        _input = new InputTransform([RandomMatrix(random, 1, problem.K).Data, [], []]);
        _rotated = _input with { RotationBlock = BlockHadamard.LargestBlock(problem.K) };
        _copies = new QuantizedWeight[1 + (cacheBytes / PackingLayout.PackedBytes(problem.N, problem.K, scheme.WeightBits))];
        for (var i = 0; i < _copies.Length; i++)
        {
            _copies[i] = RandomWeight(random, scheme, problem.N, problem.K);
        }
    }

    /// <summary>Bytes of one weight's codes.</summary>
    public long WeightBytes => _copies[0].Codes.Length;

    /// <summary>A weight [N, K] of random codes.</summary>
    public static QuantizedWeight RandomWeight(Random random, QuantizationScheme scheme, int outputs, int inputs)
    {
        var codes = new byte[PackingLayout.PackedBytes(outputs, inputs, scheme.WeightBits)];
        random.NextBytes(codes);
        var groups = scheme.QuantizesActivations ? 1 : inputs / PackingLayout.GroupSize;
        return new QuantizedWeight
        {
            Scheme = scheme,
            Outputs = outputs,
            Inputs = inputs,
            Codes = codes,
            Scales = RandomMatrix(random, outputs, groups).Data,
            ZeroPoints = scheme.QuantizesActivations ? [] : new byte[outputs * groups],
        };
    }

    public static Matrix RandomMatrix(Random random, int rows, int columns)
    {
        var matrix = new Matrix(rows, columns);
        for (var i = 0; i < matrix.Data.Length; i++)
        {
            matrix.Data[i] = random.NextSingle() - 0.5f;
        }

        return matrix;
    }

    /// <summary>One forward pass over the next copy, its input rotated or not: either way the same memory, whose place decides how fast it is read.</summary>
    public void Forward(IGemmBackend backend, bool rotates = false)
    {
        var weight = Next();
        backend.Prepare(_x, ModalityMap.Text(_x.Rows), rotates ? _rotated : _input, weight.Scheme, _tokens);
        backend.Multiply(_tokens, weight, _y);
    }

    /// <summary>A plain read of the next copy's codes.</summary>
    public unsafe void Read()
    {
        var codes = Next().Codes;
        fixed (byte* data = &MemoryMarshal.GetReference(codes.Span))
        {
            Roofs.Read(data, codes.Length);
        }
    }

    private QuantizedWeight Next() => _copies[_next++ % _copies.Length];
}
