using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Gemm;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Checks;

/// <summary>Tokens of all modalities; text has no factor.</summary>
internal sealed class PrepareProblem
{
    private readonly Random _random;
    private readonly int _inputs;
    private readonly QuantizationScheme _scheme;
    private readonly ModalityMap _modalities;
    private readonly float[][] _inverse;

    public PrepareProblem(int tokens, int inputs, int bits, int seed)
    {
        (_random, _inputs, _scheme) = (new Random(seed), inputs, new QuantizationScheme(4, bits));
        X = new Matrix(tokens, inputs);
        Fill(X.Span);
        _modalities = new ModalityMap([.. Enumerable.Range(0, tokens).Select(i => (Modality)((i + 1) % 3))]);
        _inverse = [[], new float[inputs], new float[inputs]];
        Fill(_inverse[1]);
        Fill(_inverse[2]);
    }

    public Matrix X { get; }

    /// <summary>How codes are written.</summary>
    public TokenOrder Order { get; init; }

    public Matrix NewMatrix()
    {
        var matrix = new Matrix(X.Rows, X.Columns);
        Fill(matrix.Span);
        return matrix;
    }

    public PreparedTokens Expect(Matrix input, int rotationBlock = 0, IReadOnlyList<float>? clips = null)
    {
        var tokens = new PreparedTokens();
        new ScalarGemmBackend().Prepare(input, _modalities, new InputTransform(_inverse, rotationBlock) { Clips = clips }, _scheme, tokens);
        return tokens;
    }

    /// <summary>Launches, and reads what was written; what was not is −1. Codes are read as rows of bytes, whether they are nibbles or not.</summary>
    public void Run(ICudaDevice device, out sbyte[] codes, out float[] scales, out ushort[] smoothed, Action<TokenSmoothing, PreparedPointers> launch, int? codeBytes = null)
    {
        var stride = PrepareKernels.Stride(_inputs);
        using var deviceCodes = new DeviceArray<sbyte>(device, codeBytes ?? X.Rows * stride / (Order == TokenOrder.Nibbles ? 2 : 1));
        using var deviceScales = new DeviceArray<float>(device, X.Rows);
        using var deviceSmoothed = new DeviceArray<ushort>(device, X.Rows * stride);
        using var modalities = new DeviceArray<Modality>(device, _modalities.Tokens);
        using var vision = new DeviceArray<float>(device, _inverse[1]);
        using var audio = new DeviceArray<float>(device, _inverse[2]);
        deviceCodes.Fill(0xFF);
        deviceScales.Fill(0xFF);
        deviceSmoothed.Fill(0xFF);
        launch(new TokenSmoothing(modalities.Pointer, DevicePointer.Null, vision.Pointer, audio.Pointer),
            new PreparedPointers(deviceCodes.Pointer, deviceScales.Pointer, deviceSmoothed.Pointer, stride, 6, _scheme.ActivationMax, Order));
        (codes, scales, smoothed) = (deviceCodes.Read(), deviceScales.Read(), deviceSmoothed.Read());
        if (Order == TokenOrder.Nibbles)
        {
            var packed = codes;
            codes = [.. Enumerable.Range(0, 2 * packed.Length).Select(i => NibbleOrder.Unpack(packed, i / stride * stride / 2, i % stride))];
        }
    }

    public void Compare(PreparedTokens expected, sbyte[] codes, float[] scales, ushort[] smoothed)
    {
        var stride = PrepareKernels.Stride(_inputs);
        Require.Equal<float>(expected.Scales.AsSpan(0, X.Rows), scales, "scales");
        for (var row = 0; row < X.Rows; row++)
        {
            Require.Equal<sbyte>(expected.Codes.AsSpan(row * _inputs, _inputs), codes.AsSpan(row * stride, _inputs), $"codes of token {row}");
            Require.Equal<sbyte>(new sbyte[stride - _inputs], codes.AsSpan((row * stride) + _inputs, stride - _inputs), $"codes behind token {row}");
            var kept = _modalities[row] != Modality.Text;
            var bits = expected.Smoothed.Row(row).ToArray().Select(value => kept ? BFloat16.FromSingle(value) : (ushort)0xFFFF).ToArray();
            Require.Equal<ushort>(bits, smoothed.AsSpan(row * stride, _inputs), $"smoothed values of token {row}");
        }
    }

    private void Fill(Span<float> values)
    {
        foreach (ref var value in values)
        {
            value = (float)((_random.NextDouble() - 0.5) * Math.Pow(2, _random.Next(-3, 4)));
        }
    }
}
