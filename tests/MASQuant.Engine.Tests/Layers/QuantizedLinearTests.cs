using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Tests.Gemm;
using MASQuant.Formats.Schemes;
using MASQuant.Runtime;

namespace MASQuant.Engine.Tests.Layers;

public sealed class QuantizedLinearTests
{
    [Fact]
    public void A_layer_tells_its_shape_scheme_and_ranks()
    {
        using var linear = Linear(new QuantizedProblem(1, 48, 40, QuantizationScheme.W4A6, rank: 5));
        Assert.Equal((48, 40, QuantizationScheme.W4A6), (linear.Outputs, linear.Inputs, linear.Scheme));
        Assert.Equal((0, 5, 8), (linear.RankOf(Modality.Text), linear.RankOf(Modality.Vision), linear.RankOf(Modality.Audio)));
    }

    [Fact]
    public void A_layer_is_its_backends_product()
    {
        var problem = new QuantizedProblem(5, 48, 40, QuantizationScheme.W4A8);
        using var linear = Linear(problem);
        var y = new Matrix(5, 48);
        linear.Forward(problem.X, problem.Modalities, y);
        Bits.AssertSame(problem.Run(new ScalarGemmBackend()), y.Data);
    }

    public static TheoryData<string> Schemes => [.. QuantizationScheme.All.Select(scheme => scheme.ToString())];

    /// <summary>By kernels that read memory where it is, and by a backend that copies; beside the rows nothing is written.</summary>
    [Theory]
    [MemberData(nameof(Schemes))]
    public void Rows_in_any_memory_give_the_same_bits(string name)
    {
        Assert.True(QuantizationScheme.TryParse(name, out var scheme));
        var problem = new QuantizedProblem(5, 48, 256, scheme);
        var expected = problem.Run(new ScalarGemmBackend());
        foreach (var backend in new IGemmBackend[] { new CpuGemmBackend(), new ScalarGemmBackend() })
        {
            using var linear = new QuantizedLinear(problem.Weight, problem.Input, backend: backend);
            float[] memory = [.. Enumerable.Repeat(7f, 3), .. problem.X.Data, .. Enumerable.Repeat(7f, 1 + expected.Length + 1)];
            var y = memory.AsSpan(memory.Length - 1 - expected.Length, expected.Length);
            linear.Forward(memory.AsSpan(3, problem.X.Data.Length), problem.Modalities, y);
            Bits.AssertSame(expected, y.ToArray());
            Assert.Equal([7, 7, 7, .. problem.X.Data, 7], memory[..^(expected.Length + 1)]);
            Assert.Equal(7, memory[^1]);
        }
    }

    [Fact]
    public void The_output_may_lie_on_the_input()
    {
        var problem = new QuantizedProblem(3, 256, 256, QuantizationScheme.W4A16);
        using var linear = Linear(problem);
        linear.Forward(problem.X.Span, problem.Modalities, problem.X.Span);
        Bits.AssertSame(new QuantizedProblem(3, 256, 256, QuantizationScheme.W4A16).Run(new ScalarGemmBackend()), problem.X.Data);
    }

    [Theory]
    [InlineData(5, 40, 5, 5, 47)]
    [InlineData(5, 40, 5, 5, 49)]
    [InlineData(5, 39, 5, 5, 48)]
    [InlineData(5, 40, 4, 5, 48)]
    [InlineData(0, 40, 5, 5, 48)]
    public void Rows_that_do_not_fit_are_refused(int rows, int inputs, int modalities, int outputRows, int outputs)
    {
        var problem = new QuantizedProblem(1, 48, 40, QuantizationScheme.W4A8);
        foreach (var backend in new IGemmBackend[] { new CpuGemmBackend(), new ScalarGemmBackend() })
        {
            using var linear = new QuantizedLinear(problem.Weight, problem.Input, backend: backend);
            Assert.Throws<ArgumentException>(() => linear.Forward(new float[rows * inputs], ModalityMap.Text(modalities), new float[outputRows * outputs]));
        }
    }

    [Fact]
    public void A_group_prepares_its_input_once_for_all_layers()
    {
        var (first, second) = (new QuantizedProblem(5, 48, 40, QuantizationScheme.W8A8), new QuantizedProblem(5, 16, 40, QuantizationScheme.W8A8, seed: 2));
        var backend = new CountingBackend();
        var group = new QuantizedLinearGroup([first.Weight, second.Weight], first.Input, backend);
        Matrix[] outputs = [new(5, 48), new(5, 16)];
        group.Forward(first.X, first.Modalities, outputs);
        Assert.Equal(1, backend.Prepared);
        Bits.AssertSame(first.Run(new ScalarGemmBackend()), outputs[0].Data);
        using var alone = new QuantizedLinear(second.Weight, first.Input);
        var y = new Matrix(5, 16);
        alone.Forward(first.X, first.Modalities, y);
        Bits.AssertSame(y.Data, outputs[1].Data);
    }

    [Fact]
    public void Layers_of_a_group_must_share_their_input()
    {
        var narrow = new QuantizedProblem(1, 16, 8, QuantizationScheme.W8A8);
        var wide = new QuantizedProblem(1, 16, 16, QuantizationScheme.W8A8);
        Assert.Throws<ArgumentException>(() => new QuantizedLinearGroup([narrow.Weight, wide.Weight], narrow.Input, new ScalarGemmBackend()));
    }

    [Fact]
    public void A_full_precision_group_adds_each_bias()
    {
        var random = new RandomValues(3);
        Matrix x = random.Matrix(3, 20), first = random.Matrix(7, 20), second = random.Matrix(4, 20);
        var bias = random.Array(7);
        var group = new DenseLinearGroup((DenseWeight.FromFloats(first), bias), (DenseWeight.FromFloats(second), []));
        Matrix[] outputs = [new(3, 7), new(3, 4)];
        group.Forward(x, ModalityMap.Text(3), outputs);
        Assert.Equal(FloatGemmReference.Dot(x.Row(2), first.Row(6)) + bias[6], outputs[0][2, 6]);
        Assert.Equal(FloatGemmReference.Dot(x.Row(1), second.Row(3)), outputs[1][1, 3]);
    }

    [Fact]
    public void A_disposed_layer_computes_no_more()
    {
        var problem = new QuantizedProblem(1, 16, 8, QuantizationScheme.W8A8);
        var linear = Linear(problem);
        linear.Dispose();
        Assert.Throws<ObjectDisposedException>(() => linear.Forward(problem.X, problem.Modalities, new Matrix(1, 16)));
        Assert.Throws<ObjectDisposedException>(() => linear.Forward(problem.X.Span, problem.Modalities, new float[16]));
    }

    private static QuantizedLinear Linear(QuantizedProblem problem) => new(problem.Weight, problem.Input);

    private sealed class CountingBackend : IGemmBackend
    {
        private readonly CpuGemmBackend _inner = new();

        public int Prepared { get; private set; }

        public void Prepare(Matrix x, ModalityMap modalities, InputTransform input, QuantizationScheme scheme, PreparedTokens tokens)
        {
            Prepared++;
            _inner.Prepare(x, modalities, input, scheme, tokens);
        }

        public void Multiply(PreparedTokens tokens, QuantizedWeight weight, Matrix y) => _inner.Multiply(tokens, weight, y);
    }
}
