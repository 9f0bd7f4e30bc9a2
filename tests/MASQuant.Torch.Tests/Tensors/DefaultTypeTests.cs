using MASQuant.Engine.Tests.Gemm;
using MASQuant.Runtime;
using MASQuant.TorchSharp;
using static TorchSharp.torch;

namespace MASQuant.Torch.Tests.Tensors;

/// <summary>Tests that change what holds for the whole process, each beside no other.</summary>
[CollectionDefinition(nameof(DefaultTypeTests), DisableParallelization = true)]
[Collection(nameof(DefaultTypeTests))]
public class DefaultTypeTests
{
    /// <summary>FP32, whatever the program prefers.</summary>
    [TorchFact]
    public void Another_default_type_changes_nothing()
    {
        using var scope = NewDisposeScope();
        try
        {
            set_default_dtype(ScalarType.Float64);
            Assert.Equal([1, 2], new Matrix(1, 2, [1, 2]).ToTensor().data<float>().ToArray());
            var problem = new QuantizedProblem(1, 16, 8, QuantizationScheme.W8A8);
            using var module = new QuantizedLinearModule(new QuantizedLinear(problem.Weight, problem.Input));
            Assert.Equal(ScalarType.Float32, module.forward(problem.X.ToTensor()).dtype);
        }
        finally
        {
            set_default_dtype(ScalarType.Float32);
        }
    }
}
