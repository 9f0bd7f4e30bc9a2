using MASQuant.Tests.Guards;

namespace MASQuant.Engine.Tests.Guards;

/// <summary>Kernels, which read memory without looking, touch nothing beside their operands, on each instruction set.</summary>
[Trait("Lane", "guard")]
public sealed class GuardTests
{
    /// <summary>What the program runs.</summary>
    internal static IReadOnlyDictionary<string, Action<GuardedMemory, Action<string>>> Kernels { get; } = new Dictionary<string, Action<GuardedMemory, Action<string>>>
    {
        ["codes"] = CodeKernels.Run,
        ["tiles"] = CodeKernels.Tiles,
        ["floats"] = FloatKernels.Run,
        ["packing"] = FloatKernels.Pack,
        ["packing-halves"] = FloatKernels.PackHalves,
        ["tokens"] = Products.Tokens,
        ["quantized products"] = Products.Quantized,
        ["float products"] = Products.Floats,
        ["packed products"] = Products.Packed,
        ["attention"] = Attention.Run,
    };

    public static IEnumerable<object[]> Cases => from name in Kernels.Keys from switchedOff in new[] { "", "AVX512", "AVX2", "HWIntrinsic" } select new object[] { name, switchedOff };

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Nothing_beside_the_operands_is_touched(string name, string switchedOff)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Pages without access are mapped as Linux does.");
        Assert.True(GuardedRun.Shapes(name, switchedOff) > 0);
    }
}
