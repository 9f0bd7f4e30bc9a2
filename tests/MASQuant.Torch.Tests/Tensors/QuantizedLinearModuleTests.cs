using System.Runtime.CompilerServices;
using MASQuant.Engine.Tests.Gemm;
using MASQuant.Runtime;
using MASQuant.TorchSharp;
using TorchSharp;
using static TorchSharp.torch;

namespace MASQuant.Torch.Tests.Tensors;

/// <summary>A layer as a module beside the layer itself, bit for bit.</summary>
public class QuantizedLinearModuleTests
{
    private const int Tokens = 6;
    private const int Outputs = 48;
    private const int Inputs = 256;

    public static TheoryData<string, bool> Schemes
    {
        get
        {
            var cases = new TheoryData<string, bool>();
            foreach (var scheme in QuantizationScheme.All)
            {
                cases.Add(scheme.ToString(), false);
                if (scheme.SupportsGroupScales)
                {
                    cases.Add(scheme.ToString(), true);
                }
            }

            return cases;
        }
    }

    [TorchTheory]
    [MemberData(nameof(Schemes))]
    public void Every_scheme_and_modality_gives_the_layers_bits(string name, bool groupScales)
    {
        Assert.True(QuantizationScheme.TryParse(name, out var scheme));
        var problem = new QuantizedProblem(Tokens, Outputs, Inputs, scheme, groupScales: groupScales);
        using var scope = NewDisposeScope();
        using var module = Module(problem);
        var x = Tensor(problem.X);
        Same(Expected(problem, problem.X, problem.Modalities), [Tokens, Outputs], module.forward(x, problem.Modalities));
        foreach (var modality in Enum.GetValues<Modality>())
        {
            using var one = Module(problem, modality);
            var expected = Expected(problem, problem.X, Uniform(Tokens, modality));
            Same(expected, [Tokens, Outputs], one.forward(x));
            Same(expected, [Tokens, Outputs], one.call(x));
            Same(expected, [Tokens, Outputs], module.forward(x, modality));
        }
    }

    [TorchFact]
    public void Rows_are_read_however_they_lie()
    {
        var problem = Problem();
        using var scope = NewDisposeScope();
        using var module = Module(problem);
        var big = randn(2 * Tokens, 2, Inputs, dtype: ScalarType.Float32);
        Tensor[] inputs =
        [
            big,
            big[1, 0], // [K]
            big.narrow(0, 3, 5), // in place, from the middle of the memory
            big.narrow(1, 1, 1), // every other row
            big.transpose(0, 1),
            randn(Inputs, Tokens, dtype: ScalarType.Float32).t(),
            randn(Tokens, 2 * Inputs, dtype: ScalarType.Float32).slice(1, 1, 2 * Inputs, 2), // every other value
            big[0, 0].expand(Tokens, Inputs),
            big[0, 0].expand(2, 3, Inputs),
            randn(Tokens, 1, dtype: ScalarType.Float32).expand(Tokens, Inputs), // every value many times
            view_as_real(randn(Tokens, Inputs, dtype: ScalarType.ComplexFloat32)).select(-1, 1),
            randn(1, Inputs, dtype: ScalarType.ComplexFloat32).conj().imag, // values that a view negates
        ];
        foreach (var x in inputs)
        {
            // Read one by one, and the modalities in the order of the rows.
            var rows = new Matrix((int)(x.numel() / Inputs), Inputs, [.. Values(x)]);
            var modalities = new ModalityMap([.. Enumerable.Range(0, rows.Rows).Select(row => (Modality)(row % 3))]);
            Same(Expected(problem, rows, modalities), [.. x.shape[..^1], Outputs], module.forward(x, modalities));
        }
    }

    /// <summary>Nothing is copied of what lies row after row.</summary>
    [TorchFact]
    public void Contiguous_rows_are_read_where_they_are()
    {
        using var scope = NewDisposeScope();
        var x = randn(Tokens, 2, Inputs, dtype: ScalarType.Float32);
        Assert.All([x, x.narrow(0, 2, 3), x[1, 1], x.view(-1, Inputs)], part => Assert.True(Unsafe.AreSame(ref part.bytes[0], ref TensorRows.Of(part, "").bytes[0])));
        Assert.All([x.transpose(0, 1), x.narrow(1, 0, 1)], part => Assert.False(Unsafe.AreSame(ref x.bytes[0], ref TensorRows.Of(part, "").bytes[0])));

        // Its memory lives on where somebody disposes it meanwhile.
        var rows = TensorRows.Of(x, "");
        var expected = x.bytes.ToArray();
        x.Dispose();
        Assert.Equal(expected, rows.bytes.ToArray());
    }

    [TorchFact]
    public void No_rows_give_no_rows()
    {
        using var scope = NewDisposeScope();
        using var module = Module(Problem());
        Assert.Equal([0, Outputs], module.forward(empty(0, Inputs)).shape);
        Assert.Equal([2, 0, Outputs], module.forward(empty(2, 0, Inputs), ModalityMap.Text(0)).shape);
    }

    /// <summary>Computed in FP32 and rounded once, to nearest even.</summary>
    [TorchFact]
    public void Lower_precisions_are_rounded_once()
    {
        var problem = Problem();
        using var scope = NewDisposeScope();
        using var module = Module(problem);
        var x = Tensor(problem.X);

        var half = module.forward(x.to_type(ScalarType.Float16), problem.Modalities);
        Assert.Equal(ScalarType.Float16, half.dtype);
        var halves = new Matrix(Tokens, Inputs, Array.ConvertAll(problem.X.Data, value => (float)(Half)value));
        Bits.AssertSame(Array.ConvertAll(Expected(problem, halves, problem.Modalities), value => (float)(Half)value), Values(half));

        var brain = module.forward(x.to_type(ScalarType.BFloat16), problem.Modalities);
        Assert.Equal(ScalarType.BFloat16, brain.dtype);
        var brains = new Matrix(Tokens, Inputs, Array.ConvertAll(problem.X.Data, Brain));
        Bits.AssertSame(Array.ConvertAll(Expected(problem, brains, problem.Modalities), Brain), Values(brain));

        static float Brain(float value)
        {
            var bits = BitConverter.SingleToUInt32Bits(value);
            return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF_0000);
        }
    }

    [TorchFact]
    public void What_does_not_fit_is_refused()
    {
        using var scope = NewDisposeScope();
        using var module = Module(Problem());
        Refused(zeros(Tokens, Inputs + 1), $"[{Tokens}, {Inputs + 1}]");
        Refused(zeros(Inputs, 1), $"[.., {Inputs}]");
        Refused(zeros([]), "[]");
        Refused(zeros(Tokens, Inputs, dtype: ScalarType.Float64), "Float64");
        Refused(zeros(Tokens, Inputs, dtype: ScalarType.Int32), "Int32");
        Refused(zeros(Tokens, Inputs, dtype: ScalarType.ComplexFloat32), "ComplexFloat32");
        Refused(zeros(Tokens, Inputs).to_sparse(), "sparse Float32");
        Refused(empty(Tokens, Inputs, device: META), "lies on META");
        Refused(zeros(Inputs).expand(1L << 40, Inputs), "2 GiB"); // of 1 KiB
        Refused(zeros(Inputs).expand((1L << 29) / Inputs, Inputs), "2 GiB");

        var x = zeros(Tokens, Inputs);
        Assert.All([0, Tokens - 1, Tokens + 1], count => Assert.Throws<ArgumentException>("modalities", () => module.forward(x, ModalityMap.Text(count))));
        Assert.Throws<ArgumentNullException>("linear", () => new QuantizedLinearModule(null!));

        void Refused(Tensor x, string reason)
        {
            Assert.Contains(reason, Assert.Throws<ArgumentException>(nameof(x), () => module.forward(x)).Message, StringComparison.Ordinal);
            Assert.Contains(reason, Assert.Throws<ArgumentException>(nameof(x), () => module.forward(x, ModalityMap.Text(Tokens))).Message, StringComparison.Ordinal);
        }
    }

    /// <summary>A gradient that stops in silence would be worse.</summary>
    [TorchFact]
    public void A_gradient_is_refused_where_one_is_asked_for()
    {
        using var scope = NewDisposeScope();
        using var module = Module(Problem());
        var x = randn(Tokens, Inputs, dtype: ScalarType.Float32).requires_grad_();
        Assert.Contains("no_grad", Assert.Throws<NotSupportedException>(() => module.forward(x)).Message, StringComparison.Ordinal);
        Assert.Throws<NotSupportedException>(() => module.forward(x * x));
        var detached = module.forward(x.detach());
        Assert.False(detached.requires_grad);
        using (no_grad())
        {
            Bits.AssertSame(Values(detached), Values(module.forward(x)));
        }
    }

    [TorchFact]
    public void A_layer_stands_among_other_modules()
    {
        var problem = Problem();
        using var scope = NewDisposeScope();
        var sequence = nn.Sequential(("layer", Module(problem)), ("relu", nn.ReLU()));
        using var alone = Module(problem);
        Assert.Empty(sequence.parameters());
        var x = Tensor(problem.X);
        Assert.Equal(Values(alone.forward(x)).Select(value => Math.Max(value, 0)), Values(sequence.forward(x)));
        sequence.Dispose();
    }

    /// <summary>As <see cref="Stages.StageTests"/> counts: no scope cleans up behind a forward pass.</summary>
    [TorchFact]
    public void A_thousand_calls_leave_no_tensor()
    {
        var problem = Problem();
        using var module = Module(problem);
        using var x = Tensor(problem.X);
        using var strided = x.repeat(1, 2).slice(1, 0, 2 * Inputs, 2);
        using var half = x.to_type(ScalarType.Float16);
        using var wrong = x.narrow(1, 0, 8);
        var statistics = DisposeScopeManager.Statistics.TensorStatistics;
        var before = statistics.ThreadTotalLiveCount;
        for (var i = 0; i < 1000; i++)
        {
            module.forward(x).Dispose();
            module.forward(strided, problem.Modalities).Dispose();
            module.forward(half, Modality.Vision).Dispose();
            Assert.ThrowsAny<ArgumentException>(() => module.forward(wrong));
        }

        module.Dispose();
        Assert.Throws<ObjectDisposedException>(() => module.forward(x));
        Assert.Throws<ObjectDisposedException>(() => module.forward(half));
        Assert.Equal(before, statistics.ThreadTotalLiveCount);

        // What is given lies in the caller's scope, and nothing else does.
        using var other = Module(problem);
        using (var scope = NewDisposeScope())
        {
            other.forward(half);
            Assert.Equal(1, scope.DisposablesCount);
        }

        Assert.Equal(before, statistics.ThreadTotalLiveCount);
    }

    [TorchFact]
    public void A_module_disposes_its_layer()
    {
        var problem = Problem();
        var linear = new QuantizedLinear(problem.Weight, problem.Input);
        new QuantizedLinearModule(linear).Dispose();
        Assert.Throws<ObjectDisposedException>(() => linear.Forward(problem.X, problem.Modalities, new Matrix(Tokens, Outputs)));
    }

    private static QuantizedProblem Problem() => new(Tokens, Outputs, Inputs, QuantizationScheme.W4A8);

    private static QuantizedLinearModule Module(QuantizedProblem problem, Modality modality = Modality.Text) => new(new QuantizedLinear(problem.Weight, problem.Input), modality);

    private static ModalityMap Uniform(int tokens, Modality modality) => new([.. Enumerable.Repeat(modality, tokens)]);

    private static float[] Expected(QuantizedProblem problem, Matrix x, ModalityMap modalities)
    {
        using var linear = new QuantizedLinear(problem.Weight, problem.Input);
        var y = new Matrix(x.Rows, Outputs);
        linear.Forward(x, modalities, y);
        return y.Data;
    }

    // By TorchSharp alone.
    private static Tensor Tensor(Matrix matrix) => tensor(matrix.Span.ToArray(), matrix.Rows, matrix.Columns);

    private static float[] Values(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        var flat = zeros(tensor.numel(), ScalarType.Float32);
        flat.copy_(tensor.reshape(-1));
        return flat.data<float>().ToArray();
    }

    private static void Same(float[] expected, long[] shape, Tensor y)
    {
        Assert.Equal(shape, y.shape);
        Assert.Equal(ScalarType.Float32, y.dtype);
        Bits.AssertSame(expected, Values(y));
    }
}
