using MASQuant.Torch.Learning;
using static TorchSharp.torch;

namespace MASQuant.Torch.Tests.Stages;

/// <summary>Rows at the edges of their grids, on scales of 1 and 2, where every sum is exact: code · scale by the definition.</summary>
public class FakeQuantizationTests
{
    [TorchFact]
    public void Symmetric_rows_round_to_even_and_zero_stays()
    {
        AssertRounded([7, 2, -4, 2, -2], [7, 2.4f, -3.6f, 2.5f, -1.5f], v => FakeQuantization.Symmetric(v, 7, 5));
        AssertRounded([0, 0, 0], [0, 0, 0], v => FakeQuantization.Symmetric(v, 7, 3));
    }

    [TorchFact]
    public void A_scale_is_that_of_its_group_and_the_last_may_be_shorter()
    {
        AssertRounded([7, 2, 14, 4], [7, 2.4f, 14, 4.8f], v => FakeQuantization.Symmetric(v, 7, 2));
        AssertRounded([7, 2, 14, 4, 0], [7, 2.4f, 14, 4.8f, 0], v => FakeQuantization.Symmetric(v, 7, 2));
    }

    /// <summary>Ranges of 15 steps that hold 0. Where both ends lie in the middle of two codes, the upper one's is cut off at 15.</summary>
    [TorchTheory]
    [InlineData(new[] { -8f, 2, 7 }, new[] { -7.5f, 2.4f, 7.5f })]
    [InlineData(new[] { 3f, 15 }, new[] { 3.4f, 15 })]
    [InlineData(new[] { -15f, -3 }, new[] { -15f, -3.4f })]
    [InlineData(new[] { 0f, 0 }, new[] { 0f, 0 })]
    public void Asymmetric_rows_hold_zero(float[] expected, float[] row) => AssertRounded(expected, row, FakeQuantization.Asymmetric);

    private static void AssertRounded(float[] expected, float[] row, Func<Tensor, Tensor> round)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(expected, round(tensor(row).unsqueeze(0)).squeeze(0).data<float>().ToArray());
    }
}
