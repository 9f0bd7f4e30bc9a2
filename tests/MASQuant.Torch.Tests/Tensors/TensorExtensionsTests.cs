using MASQuant.Engine.Tests.Gemm;
using MASQuant.Engine.Tests.Models;
using MASQuant.Runtime;
using MASQuant.Tests;
using MASQuant.TorchSharp;
using TorchSharp;
using static TorchSharp.torch;

namespace MASQuant.Torch.Tests.Tensors;

/// <summary>What a model gives and takes, as tensors.</summary>
public sealed class TensorExtensionsTests : IDisposable
{
    private readonly MultimodalModel _model = MultimodalModel.Load(RepositoryFiles.OmniTiny);

    public void Dispose() => _model.Dispose();

    [TorchFact]
    public void A_matrix_and_its_tensor_have_the_same_values_and_memory_of_their_own()
    {
        using var scope = NewDisposeScope();
        var matrix = new Matrix(2, 3, [1, 2, 3, 4, float.NaN, -0f, 7]); // of more room than values
        var one = matrix.ToTensor();
        Assert.Equal((ScalarType.Float32, 2L, 3L), (one.dtype, one.shape[0], one.shape[1]));
        Bits.AssertSame([1, 2, 3, 4, float.NaN, -0f], one.data<float>().ToArray());
        matrix[0, 0] = 9;
        Assert.Equal(1, one[0, 0].item<float>());

        var back = one.ToMatrix();
        Assert.Equal((2, 3), (back.Rows, back.Columns));
        Bits.AssertSame([1, 2, 3, 4, float.NaN, -0f], back.Data);
        Bits.AssertSame([1, 4, 2, float.NaN, 3, -0f], one.t().ToMatrix().Data);
        var rows = one.expand(4, 2, 3).ToMatrix();
        Assert.Equal((8, 3), (rows.Rows, rows.Columns));
        Assert.Equal((0, 5), (empty(0, 5).ToMatrix().Rows, empty(2, 0, 5).ToMatrix().Columns));
        Assert.Equal([0, 5], new Matrix(0, 5).ToTensor().shape);
        var negated = view_as_complex(tensor([1f, 2f]).view(1, 1, 2)).conj().imag; // a view of 2 that says so
        Assert.True(negated.is_neg());
        Assert.Equal([-2], negated.ToMatrix().Data);
        Assert.Equal([1.5f], tensor([1.5f], ScalarType.BFloat16).ToMatrix().Data);
        Assert.Throws<ArgumentException>("tensor", () => one.to_type(ScalarType.Float64).ToMatrix());
        Assert.Throws<ArgumentException>("tensor", () => one.sum().ToMatrix());
    }

    [TorchTheory]
    [InlineData("omni/text")]
    [InlineData("omni/image-audio")]
    public void Logits_choose_the_answer_and_match_the_reference(string name)
    {
        var golden = Golden.Load(name);
        using var scope = NewDisposeScope();
        var input = _model.Prepare(GoldenPrompt.Of(golden));
        Assert.Equal(golden.Integers("greedy")[0], _model.Logits(input).ToTensor().argmax(-1).item<long>());
        GoldenAssert.Near(golden, "logits", _model.Logits(input, ..).ToTensor().ToMatrix());
    }

    /// <summary>A layer of the model, fed with the model's own stream through libtorch, is the model's layer.</summary>
    [TorchFact]
    public void Embeddings_go_back_through_a_tensor()
    {
        using var scope = NewDisposeScope();
        var input = _model.Prepare(GoldenPrompt.Of(Golden.Load("omni/image")));
        var embeddings = _model.HiddenStates(input, [0])[0].ToTensor();
        Bits.AssertSame(_model.Logits(input).Data, _model.Logits(input.WithEmbeddings(embeddings.clone().ToMatrix())).Data);
        Assert.NotEqual(_model.Logits(input).Data, _model.Logits(input.WithEmbeddings(embeddings.flip(0).ToMatrix())).Data);
    }

    /// <summary>The document's example, as it stands there.</summary>
    [TorchFact]
    public void The_documents_example_runs()
    {
        var problem = new QuantizedProblem(1, 48, 256, QuantizationScheme.W4A8);
        Example(_model, new QuantizedLinear(problem.Weight, problem.Input), RepositoryFiles.Data("media/eval-ocr-000.png"));

        var document = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs/torchsharp.md"));
        var example = document.Split("```csharp\n")[1].Split("```")[0].ReplaceLineEndings("\n");
        var source = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "tests/MASQuant.Torch.Tests/Tensors/TensorExtensionsTests.cs")).ReplaceLineEndings("\n");
        var body = string.Join('\n', source.Split("// <example>\n")[1].Split("        // </example>")[0].Split('\n').Select(line => line.StartsWith("        ", StringComparison.Ordinal) ? line[8..] : line));
        Assert.Equal(body, example);
    }

    private static void Example(MultimodalModel model, QuantizedLinear linear, string picture)
    {
        // <example>
        using var scope = torch.NewDisposeScope();                                       // frees every tensor that is made below

        var input = model.Prepare(new Prompt().Image(picture).Text("Read the digits."));
        var odds = model.Logits(input).ToTensor().softmax(-1);                           // [1, V]: of the answer's first token
        var stream = model.HiddenStates(input, [3])[0].ToTensor();                       // [T, H]: after three blocks

        using var module = new QuantizedLinearModule(linear);                            // an nn.Module: x [.., K] → [.., N]
        var y = module.forward(stream, input.Modalities);                                // each token with its own factor and patch

        var embeddings = model.HiddenStates(input, [0])[0].ToTensor();
        var changed = input.WithEmbeddings(embeddings.flip(0).ToMatrix());                // any rows of one's own in their place
        var others = model.Logits(changed).ToTensor().softmax(-1);
        // </example>
        Assert.Equal([stream.shape[0], linear.Outputs], y.shape);
        Assert.NotEqual(odds.data<float>().ToArray(), others.data<float>().ToArray());
    }
}
