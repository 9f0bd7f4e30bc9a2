using MASQuant.Gemm;
using MASQuant.Gemm.Cuda;
using MASQuant.Layers;
using MASQuant.Ptx;
using MASQuant.Safetensors;
using MASQuant.Tensors;

namespace MASQuant.Tests.Kernels;

/// <summary>The preparing kernels equal the CPU bit for bit.</summary>
public sealed class PrepareKernelTests
{
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 8, 8 }, { 3, 64, 8 }, { 5, 1040, 6 }, { 2, 4096, 8 }, { 7, 200, 6 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void TokensEqualTheScalarBackend(int tokens, int inputs, int bits)
    {
        var problem = new PrepareProblem(tokens, inputs, bits, seed: 1);
        var expected = problem.Expect(problem.X);
        problem.Run(out var codes, out var scales, out var smoothed, (device, smoothing, target) =>
        {
            using var x = new DeviceArray<float>(device, problem.X.Span);
            device.Launch(PrepareKernels.Tokens(x.Pointer, inputs, tokens, inputs, smoothing, target));
        });
        problem.Compare(expected, codes, scales, smoothed);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void NormEqualsResidualNormAndScalarBackend(int tokens, int inputs, int bits)
    {
        var problem = new PrepareProblem(tokens, inputs, bits, seed: 2);
        var branch = problem.NewMatrix();
        var gain = problem.NewMatrix().Row(0).ToArray();
        var sum = new Matrix(tokens, inputs, [.. problem.X.Span]);
        Residual.Add(sum, branch);
        var normed = new Matrix(tokens, inputs);
        for (var row = 0; row < tokens; row++)
        {
            RmsNorm.Apply(sum.Row(row), gain, 1e-6f, normed.Row(row));
        }

        var expected = problem.Expect(normed);
        float[] hidden = [];
        problem.Run(out var codes, out var scales, out var smoothed, (device, smoothing, target) =>
        {
            using var x = new DeviceArray<float>(device, problem.X.Span);
            using var b = new DeviceArray<float>(device, branch.Span);
            using var g = new DeviceArray<float>(device, gain);
            device.Launch(PrepareKernels.Norm(x.Pointer, b.Pointer, g.Pointer, 1e-6f, tokens, inputs, smoothing, target));
            hidden = x.Read();
        });
        Assert.Equal(sum.Data, hidden);
        problem.Compare(expected, codes, scales, smoothed);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void GatedEqualsSiluAndScalarBackend(int tokens, int inputs, int bits)
    {
        var problem = new PrepareProblem(tokens, inputs, bits, seed: 3);
        var up = problem.NewMatrix();
        problem.X.Row(0)[0] = 95;
        problem.X.Row(0)[1] = -95;
        problem.X.Row(0)[2] = -110;
        var product = new Matrix(tokens, inputs);
        for (var row = 0; row < tokens; row++)
        {
            Silu.Multiply(problem.X.Row(row), up.Row(row), product.Row(row));
        }

        var expected = problem.Expect(product);
        problem.Run(out var codes, out var scales, out var smoothed, (device, smoothing, target) =>
        {
            // Gate and up as the halves of wider rows.
            var rows = new float[tokens * 2 * inputs];
            for (var row = 0; row < tokens; row++)
            {
                problem.X.Row(row).CopyTo(rows.AsSpan(row * 2 * inputs));
                up.Row(row).CopyTo(rows.AsSpan((row * 2 * inputs) + inputs));
            }

            using var x = new DeviceArray<float>(device, rows);
            device.Launch(PrepareKernels.Gated(x.Pointer, x.Pointer + (inputs * sizeof(float)), 2 * inputs, tokens, inputs, smoothing, target));
        });
        problem.Compare(expected, codes, scales, smoothed);
    }

    [Theory]
    [InlineData(3, 72, 8)]
    [InlineData(2, 4096, 4096)]
    [InlineData(1, 1280, 256)]
    [InlineData(1, 8, 2)]
    public void RotatedTokensEqualTheCpu(int tokens, int inputs, int block)
    {
        var problem = new PrepareProblem(tokens, inputs, 8, seed: 6);
        var expected = problem.Expect(BlockHadamard.Rotate(problem.X, block));
        problem.Run(out var codes, out var scales, out var smoothed, (device, smoothing, target) =>
        {
            using var x = new DeviceArray<float>(device, problem.X.Span);
            device.Launch(PrepareKernels.Tokens(x.Pointer, inputs, tokens, inputs, smoothing, target with { Rotation = block }));
        });
        problem.Compare(expected, codes, scales, smoothed);
    }

    [Fact]
    public void InterleavedCodesStandWhereHopperReadsThem()
    {
        var problem = new PrepareProblem(2, 200, 8, seed: 5);
        var expected = problem.Expect(problem.X);
        problem.Run(out var codes, out _, out _, (device, smoothing, target) =>
        {
            using var x = new DeviceArray<float>(device, problem.X.Span);
            device.Launch(PrepareKernels.Tokens(x.Pointer, 200, 2, 200, smoothing, target with { Interleaved = true }));
        });
        for (var k = 0; k < 256; k++)
        {
            // Within 64 inputs: word 4t + 2s + h at place 8s + 4h + t.
            int word = k / 4 % 16, place = (8 * (word / 2 % 2)) + (4 * (word % 2)) + (word / 4);
            Assert.Equal(k < 200 ? expected.Codes[k] : (sbyte)0, codes[(k / 64 * 64) + (4 * place) + (k % 4)]);
        }
    }

    [Fact]
    public void TokensThatAreZeroOrNotFiniteGetTheScalesOfTheScalarBackend()
    {
        var problem = new PrepareProblem(4, 16, 8, seed: 4);
        problem.X.Row(0).Clear();
        problem.X.Row(1)[5] = float.NaN;
        problem.X.Row(2)[15] = float.NegativeInfinity;
        problem.X.Row(3).Fill(1e-31f);
        var expected = problem.Expect(problem.X);
        problem.Run(out var codes, out var scales, out var smoothed, (device, smoothing, target) =>
        {
            using var x = new DeviceArray<float>(device, problem.X.Span);
            device.Launch(PrepareKernels.Tokens(x.Pointer, 16, 4, 16, smoothing, target with { Keep = 0 }));
        });
        Assert.Equal(expected.Codes.AsSpan(0, 16).ToArray(), codes.AsSpan(0, 16).ToArray());
        Assert.Equal(expected.Scales, scales);
    }

    /// <summary>Tokens of all modalities; text has no factor.</summary>
    private sealed class PrepareProblem
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

        public Matrix NewMatrix()
        {
            var matrix = new Matrix(X.Rows, X.Columns);
            Fill(matrix.Span);
            return matrix;
        }

        public PreparedTokens Expect(Matrix input)
        {
            var tokens = new PreparedTokens();
            new ScalarGemmBackend().Prepare(input, _modalities, _inverse, _scheme, tokens);
            return tokens;
        }

        public void Run(out sbyte[] codes, out float[] scales, out ushort[] smoothed, Action<ICudaDevice, TokenSmoothing, PreparedPointers> launch)
        {
            using var device = new EmulatedDevice();
            var stride = PrepareKernels.Stride(_inputs);
            using var deviceCodes = new DeviceArray<sbyte>(device, X.Rows * stride);
            using var deviceScales = new DeviceArray<float>(device, X.Rows);
            using var deviceSmoothed = new DeviceArray<ushort>(device, X.Rows * stride);
            using var modalities = new DeviceArray<Modality>(device, _modalities.Tokens);
            using var vision = new DeviceArray<float>(device, _inverse[1]);
            using var audio = new DeviceArray<float>(device, _inverse[2]);
            launch(device, new TokenSmoothing(modalities.Pointer, DevicePointer.Null, vision.Pointer, audio.Pointer),
                new PreparedPointers(deviceCodes.Pointer, deviceScales.Pointer, deviceSmoothed.Pointer, stride, 6, _scheme.ActivationMax));
            (codes, scales, smoothed) = (deviceCodes.Read(), deviceScales.Read(), deviceSmoothed.Read());
        }

        public void Compare(PreparedTokens expected, sbyte[] codes, float[] scales, ushort[] smoothed)
        {
            var stride = PrepareKernels.Stride(_inputs);
            Assert.Equal(expected.Scales.AsSpan(0, X.Rows).ToArray(), scales);
            for (var row = 0; row < X.Rows; row++)
            {
                Assert.Equal(expected.Codes.AsSpan(row * _inputs, _inputs).ToArray(), codes.AsSpan(row * stride, _inputs).ToArray());
                Assert.Equal(new sbyte[stride - _inputs], codes.AsSpan(row * stride + _inputs, stride - _inputs).ToArray());
                var kept = _modalities[row] != Modality.Text;
                var bits = expected.Smoothed.Row(row).ToArray().Select(value => kept ? BFloat16.FromSingle(value) : (ushort)0xFFFF).ToArray();
                Assert.Equal(bits, smoothed.AsSpan(row * stride, _inputs).ToArray());
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
}
