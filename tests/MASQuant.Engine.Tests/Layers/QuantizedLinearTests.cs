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
