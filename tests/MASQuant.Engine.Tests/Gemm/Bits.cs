namespace MASQuant.Engine.Tests.Gemm;

/// <summary>Comparison without tolerance.</summary>
internal static class Bits
{
    public static void AssertSame(float[] expected, float[] actual)
        => Assert.Equal(Array.ConvertAll(expected, BitConverter.SingleToUInt32Bits), Array.ConvertAll(actual, BitConverter.SingleToUInt32Bits));
}
