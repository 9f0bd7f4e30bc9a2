using MASQuant.Engine.Tensors;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Tests.Numerics;

public class GramRotationTests
{
    // More columns than a piece of the work has.
    [Theory]
    [InlineData(24, 8)]
    [InlineData(320, 64)]
    [InlineData(512, 512)]
    public void The_gram_matrix_becomes_that_of_rotated_rows(int inputs, int block)
    {
        var x = RandomMatrices.Activations(40, inputs, 3);
        var expected = RandomMatrices.Gram(BlockHadamard.Rotate(x, block));
        var wide = new GramMatrix<double>(inputs);
        wide.Add(x);
        wide.Rotate(block);
        var narrow = new GramMatrix<float>(inputs);
        narrow.Add(x);
        narrow.Rotate(block);

        // X·H is rounded log₂ block + 1 times, by 2⁻²⁴ of its row's norm each time; C in FP32 sums 40 products and goes through twice as many additions.
        var largest = expected.Diagonal().Maximum();
        var bound = 2 * (Math.Log2(block) + 1) * Math.Pow(2, -24) * largest * Math.Sqrt(block);
        for (var i = 0; i < inputs; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                Assert.InRange(wide.Lower[i, j], expected[i, j] - bound, expected[i, j] + bound);
                Assert.InRange(narrow.Lower[i, j], expected[i, j] - (40 * bound), expected[i, j] + (40 * bound));
            }
        }
    }
}
