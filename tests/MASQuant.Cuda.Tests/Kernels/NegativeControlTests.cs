using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Kernels;

/// <summary>Damaged kernels are found out: a control that passes on these would prove nothing about the shipped ones.</summary>
public sealed class NegativeControlTests
{
    private const string Barrier = @"bar\.sync\s+0;";

    [Theory]
    [InlineData("prefill_w4a8", 17)]
    [InlineData("decode8_w4a8", 3)]
    public void Swapped_operands_give_other_numbers(string entry, int tokens)
    {
        // Registers a0 and a1 of the first MMA: rows g and g + 8.
        var mutation = Mutation.Replace(entry, @"(mma\.sync\.aligned\.m16n8k32\S+ \{[^}]*\}, \{)(%r\d+), (%r\d+)", "$1$3, $2");
        Assert.True(Mismatches(mutation, tokens, 4160) >= 16 * Math.Min(tokens, 8));
    }

    [Theory]
    [InlineData("prefill_w4a8", 17)]
    [InlineData("decode8_w4a8", 3)]
    public void A_wrong_unpack_mask_gives_other_numbers(string entry, int tokens)
        => Assert.True(Mismatches(Mutation.Replace(entry, "-252645136", "-252645152"), tokens, 4160) >= tokens);

    // Registers of the first 4-bit MMA: rows g and g + 8 of the weight, the halves of a step, the halves of a token's.
    [Theory]
    [InlineData("prefill_w4a4", 17, @"(\{[^}]*\}, \{)(%r\d+), (%r\d+)")]
    [InlineData("prefill_w4a4", 17, @"(\{[^}]*\}, \{%r\d+, )(%r\d+), (%r\d+)")]
    [InlineData("prefill_w4a4", 17, @"(\{[^}]*\}, \{[^}]*\}, \{)(%r\d+), (%r\d+)")]
    [InlineData("decode8_w4a4", 3, @"(\{[^}]*\}, \{)(%r\d+), (%r\d+)")]
    [InlineData("decode8_w4a4", 3, @"(\{[^}]*\}, \{[^}]*\}, \{)(%r\d+), (%r\d+)")]
    public void Swapped_registers_of_nibbles_give_other_numbers(string entry, int tokens, string registers)
        => Assert.True(Mismatches(Mutation.Replace(entry, @"(mma\.sync\.aligned\.m16n8k64\S+ )" + registers, "$1$2$4, $3"), tokens, 4160, scheme: QuantizationScheme.W4A4) >= 8 * Math.Min(tokens, 8));

    [Theory]
    [InlineData("prefill_w4a4", 17)]
    [InlineData("decode8_w4a4", 3)]
    [InlineData("decode16_w4a4", 9)]
    public void Undamaged_nibbles_are_right(string entry, int tokens)
        => Assert.Equal(0, Mismatches(Mutation.Replace(entry, "(mma)", "$1"), tokens, 4160, scheme: QuantizationScheme.W4A4));

    // The order of nibbles is prepare's: a code in another's place changes the product.
    [Fact]
    public void A_nibble_in_the_wrong_place_gives_other_numbers()
    {
        var problem = new LayerProblem(QuantizationScheme.W4A4, 3, [32], 256);
        int Wrong(Func<string, string, string> mutation)
        {
            using var groups = new DeviceLinearGroups(new EmulatedDevice(mutation), new Lock());
            var expected = problem.Expect(problem.Prepare())[0].Data;
            return expected.Zip(LinearGroupChecks.Run(groups.Create(problem.Weights, problem.Input), problem)[0].Data).Count(pair => pair.First != pair.Second);
        }

        Assert.Equal(0, Wrong((_, text) => text));
        Assert.True(Wrong(Mutation.Replace("prepare_tokens", @"(shl\.b32\s+%r\d+, %r\d+), 28;", "$1, 24;")) > 90);
    }

    [Fact]
    public void A_stage_of_nibbles_read_too_early_is_reported()
        => Assert.Equal(PtxFault.IncompleteCopy, Fault(() => Mismatches(Mutation.Replace("prefill_w4a4", @"cp\.async\.wait_group 4", "cp.async.wait_group 5"), 17, 512, scheme: QuantizationScheme.W4A4)));

    [Fact]
    public void A_stage_read_too_early_is_reported()
    {
        var mutation = Mutation.Replace("prefill_w4a8", @"cp\.async\.wait_group 2", "cp.async.wait_group 3");
        Assert.Equal(PtxFault.IncompleteCopy, Fault(() => Mismatches(mutation, 17, 512)));
    }

    [Fact]
    public void A_prefill_without_its_barrier_is_reported()
        => Assert.Contains(Fault(() => Mismatches(Mutation.Replace("prefill_w4a8", Barrier, ""), 17, 512)), (PtxFault[])[PtxFault.Race, PtxFault.IncompleteCopy, PtxFault.UninitializedShared]);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_decode_without_one_of_its_barriers_is_reported(int occurrence)
        => Assert.Contains(Fault(() => Mismatches(Mutation.Replace("decode8_w4a8", Barrier, "", occurrence), 3, 4160)), (PtxFault[])[PtxFault.Race, PtxFault.UninitializedShared]);

    [Fact]
    public void Parts_that_are_published_without_a_fence_are_reported()
        => Assert.Equal(PtxFault.Race, Fault(() => Mismatches(Mutation.Replace("decode8_w4a8", @"membar\.gl;", ""), 3, 4160)));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_norm_without_one_of_its_barriers_is_reported(int occurrence)
    {
        using var device = new EmulatedDevice(Mutation.Replace("prepare_norm", Barrier, "", occurrence));
        using var hidden = new DeviceArray<float>(device, new float[512]);
        using var codes = new DeviceArray<sbyte>(device, 512);
        using var scales = new DeviceArray<float>(device, 1);
        var target = new PreparedPointers(codes.Pointer, scales.Pointer, DevicePointer.Null, 512, 0, 127);
        Assert.Contains(Fault(() => device.Launch(PrepareKernels.Norm(hidden.Pointer, DevicePointer.Null, hidden.Pointer, 1e-6f, 1, 512, new TokenSmoothing() with { Rotation = 8 }, target))),
            (PtxFault[])[PtxFault.Race, PtxFault.UninitializedShared]);
    }

    [Theory]
    [InlineData("decode8_w4a8", 3)]
    [InlineData("prefill_w4a8", 20)]
    public void A_flipped_modality_bit_loses_or_adds_a_patch(string entry, int tokens)
    {
        // In the tile's mask: vision is looked for as modality 3.
        var mutation = Mutation.Replace(entry, @"(setp\.\w+\.b\w+\s+%p\d+, %r\w+), 1;\s+selp", "$1, 3;\n\tselp");
        var modalities = Enumerable.Repeat(Modality.Vision, tokens).ToArray();
        Assert.True(Mismatches(mutation, tokens, 128, modalities, tolerance: 1e-2f) > 0);
        Assert.Equal(0, Mismatches((_, text) => text, tokens, 128, modalities, tolerance: 1e-2f));
    }

    /// <summary>How many outputs differ from the CPU's by more than <paramref name="tolerance"/>.</summary>
    private static int Mismatches(Func<string, string, string> mutation, int tokens, int inputs, Modality[]? modalities = null, float tolerance = 0, QuantizationScheme? scheme = null)
    {
        var problem = new LayerProblem(scheme ?? QuantizationScheme.W4A8, tokens, [64], inputs, modalities, modalities is null ? null : [8]);
        var prepared = problem.Prepare();
        using var device = new EmulatedDevice(mutation);
        using var layers = new DeviceLayers(device, problem);
        var actual = layers.Run(prepared)[0].Data;
        return problem.Expect(prepared)[0].Data.Zip(actual).Count(pair => !(MathF.Abs(pair.First - pair.Second) <= tolerance * (1 + MathF.Abs(pair.First))));
    }

    private static PtxFault Fault(Action run) => Assert.Throws<PtxException>(run).Fault;
}
