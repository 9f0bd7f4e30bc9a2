using TorchSharp;
using static TorchSharp.torch;

namespace MASQuant.Torch.Algebra;

/// <summary>Arithmetic with numbers. TorchSharp makes an object of each number, also of the 1 by which it multiplies what is added, and gives libtorch its address alone, so that the garbage collector may free it before libtorch reads it. Here it is held until libtorch returns.</summary>
internal static class TensorArithmetic
{
    private static readonly Scalar Zero = 0.ToScalar();
    private static readonly Scalar One = 1.ToScalar();

    public static Tensor Plus(this Tensor a, Tensor b) => a.add(b, One);

    public static Tensor Plus(this Tensor a, double b)
    {
        using var held = b.ToScalar();
        return a.add(held, One);
    }

    public static void Increase(this Tensor a, Tensor b) => a.add_(b, One);

    public static Tensor Times(this Tensor a, double b)
    {
        using var held = b.ToScalar();
        return a.mul(held);
    }

    public static Tensor Squared(this Tensor a) => a * a;

    public static Tensor Over(this Tensor a, double b)
    {
        using var held = b.ToScalar();
        return a.div(held);
    }

    public static Tensor IsPositive(this Tensor a) => a.gt(Zero);

    public static Tensor AtMostZero(this Tensor a) => a.clamp_max(Zero);

    public static Tensor AtLeastZero(this Tensor a) => a.clamp_min(Zero);

    public static Tensor Clamp(this Tensor a, double low, double high)
    {
        using var heldLow = low.ToScalar();
        using var heldHigh = high.ToScalar();
        return a.clamp(heldLow, heldHigh);
    }

    /// <summary>−∞ where the mask is set.</summary>
    public static Tensor Without(this Tensor a, Tensor mask)
    {
        using var held = double.NegativeInfinity.ToScalar();
        return a.masked_fill(mask, held);
    }
}
