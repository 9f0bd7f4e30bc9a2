using MASQuant.Engine.Gemm;
using MASQuant.Engine.Tensors;
using MASQuant.Engine.Tests.Gemm;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Tests.Tensors;

public sealed class BlockHadamardTests
{
    [Theory]
    [InlineData(18944, 512)]
    [InlineData(11008, 256)]
    [InlineData(3584, 512)]
    [InlineData(2048, 2048)]
    [InlineData(7, 1)]
    public void The_largest_block_is_the_largest_power_of_two_that_divides(int inputs, int block) => Assert.Equal(block, BlockHadamard.LargestBlock(inputs));

    [Theory]
    [InlineData(768, 256)]
    [InlineData(24, 8)]
    [InlineData(6, 2)]
    [InlineData(5, 1)]
    public void Rows_are_multiplied_by_the_matrix(int inputs, int block)
    {
        var x = new RandomValues(1).Matrix(3, inputs);
        var rotated = new Matrix(3, inputs, x.Data.ToArray());
        BlockHadamard.Apply(rotated, block);
        for (var row = 0; row < 3; row++)
        {
            for (var j = 0; j < inputs; j++)
            {
                // Entry (i, j) of a Sylvester–Hadamard matrix is −1 to the number of ones that i and j share.
                double expected = 0, magnitude = 0;
                for (var i = j / block * block; i < (j / block * block) + block; i++)
                {
                    var term = x[row, i] / Math.Sqrt(block) * (int.PopCount(i % block & j % block) % 2 == 0 ? 1 : -1);
                    (expected, magnitude) = (expected + term, magnitude + Math.Abs(term));
                }

                // log₂ of the block additions and one product, each rounded once.
                var bound = (int.Log2(block) + 2) * Math.Pow(2, -24) * magnitude;
                Assert.InRange(rotated[row, j], expected - bound, expected + bound);
            }
        }

        var alone = x.Row(1).ToArray();
        BlockHadamard.Apply(alone, block);
        Bits.AssertSame(rotated.Row(1).ToArray(), alone);
    }

    [Fact]
    public void Rotating_inputs_and_weights_leaves_the_product()
    {
        var random = new RandomValues(2);
        var (x, weight) = (random.Matrix(4, 96), random.Matrix(5, 96));
        var (rotatedX, rotatedWeight) = (new Matrix(4, 96, x.Data.ToArray()), new Matrix(5, 96, weight.Data.ToArray()));
        BlockHadamard.Apply(rotatedX, 32);
        BlockHadamard.Apply(rotatedWeight, 32);
        for (var t = 0; t < 4; t++)
        {
            for (var n = 0; n < 5; n++)
            {
                double Dot(Matrix a, Matrix b) => Enumerable.Range(0, 96).Sum(k => (double)a[t, k] * b[n, k]);

                // Each rotated value is off by at most 7·2⁻²⁴ of its block's norm times √32 (Cauchy–Schwarz), twice in the product.
                var bound = 2 * 7 * Math.Pow(2, -24) * 32 * Norm(x.Row(t)) * Norm(weight.Row(n));
                Assert.InRange(Dot(rotatedX, rotatedWeight), Dot(x, weight) - bound, Dot(x, weight) + bound);
            }
        }
    }

    [Theory]
    [InlineData(16, 2)]
    [InlineData(24, 4)]
    [InlineData(40, 8)]
    [InlineData(48, 16)]
    [InlineData(96, 32)]
    [InlineData(192, 64)]
    [InlineData(384, 128)]
    [InlineData(1536, 512)]
    [InlineData(2048, 2048)]
    public void Vectors_equal_the_definition_bit_for_bit(int inputs, int block)
    {
        var x = new RandomValues(inputs).Matrix(3, inputs);
        var tokens = new PreparedTokens();
        new ScalarGemmBackend().Prepare(x, ModalityMap.Text(3), InputTransform.None with { RotationBlock = block }, QuantizationScheme.W4A16, tokens);
        Bits.AssertSame(tokens.Smoothed.Data, BlockHadamard.Rotate(x, block).Data);
    }

    private static double Norm(Span<float> values)
    {
        var sum = 0.0;
        foreach (var value in values)
        {
            sum += (double)value * value;
        }

        return Math.Sqrt(sum);
    }
}
