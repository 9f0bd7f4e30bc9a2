using MASQuant.Formats.Schemes;
using MASQuant.Torch.Algebra;
using static TorchSharp.torch;

namespace MASQuant.Torch.Learning;

/// <summary>Rounding that gradients pass through: v̂ = v + scale·e with the rounding offset e held fixed, so that a gradient reaches v directly and, through the scale, the entries that set it.</summary>
internal static class FakeQuantization
{
    private const int AsymmetricSteps = 15;

    /// <summary>Rows to a symmetric grid, scale = max|v|/limit.</summary>
    /// <param name="v">[n, K].</param>
    /// <param name="limit">The largest code.</param>
    /// <param name="group">Entries of a row that share a scale.</param>
    public static Tensor Symmetric(Tensor v, int limit, int group) => Grouped(v, group, part =>
    {
        var scale = part.abs().amax([-1], keepdim: true).Over(limit);
        var divisor = NotZero(scale.detach());
        var scaled = part.detach() / divisor;
        return part.Plus(scale * (scaled.round() - scaled));
    });

    /// <summary>Rows to the grid of W4A16: a scale and a zero point for each group, the range widened to hold 0.</summary>
    /// <param name="v">[n, K].</param>
    public static Tensor Asymmetric(Tensor v) => Grouped(v, PackingLayout.GroupSize, part =>
    {
        var (low, high) = (part.amin([-1], keepdim: true).AtMostZero(), part.amax([-1], keepdim: true).AtLeastZero());
        var scale = (high - low).Over(AsymmetricSteps);
        var divisor = NotZero(scale.detach());
        var scaled = part.detach() / divisor;
        var zero = (-low.detach() / divisor).round();
        return part.Plus(scale * (scaled.round().Plus(zero).Clamp(0, AsymmetricSteps) - zero - scaled));
    });

    // A row of zeros stays one.
    private static Tensor NotZero(Tensor scale) => where(scale.IsPositive(), scale, ones_like(scale));

    private static Tensor Grouped(Tensor v, int group, Func<Tensor, Tensor> round)
    {
        var (rows, columns) = (v.shape[0], v.shape[1]);
        return columns <= group
            ? round(v)
            : columns % group == 0 ? round(v.reshape(rows, columns / group, group)).reshape(rows, columns) : cat([.. v.split(group, 1).Select(round)], 1);
    }
}
