using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Schemes;
using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Gemm;

/// <summary>Input groups on the shipped kernels: executed by the interpreter everywhere, and by the GPU where there is one.</summary>
public class DeviceLinearGroupTests
{
    public static TheoryData<string> Checks => [.. LinearGroupChecks.All.Select(check => check.Name)];

    [Theory]
    [MemberData(nameof(Checks))]
    public void Equals_the_processor(string check) => DeviceChecks.Run(check, new EmulatedDevice());

    // Codes times second-level scales are 8-bit integers: exact, as on the processor. The layer beside has none, and keeps its 4 bits.
    [Fact]
    public void Second_level_scales_are_exact()
    {
        var problem = new LayerProblem(QuantizationScheme.W4A8, 3, [32, 16], 256);
        var random = new Random(1);
        problem.Weights[0] = problem.Weights[0] with
        {
            GroupScales = Enumerable.Range(0, 32 * 256 / PackingLayout.GroupSize).Select(_ => (byte)random.Next(1, PackingLayout.MaxGroupScale + 1)).ToArray(),
        };
        AssertExact(problem);
    }

    // 4-bit tokens are for layers of 4 bits alone: where one has second-level scales, all read bytes.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Layers_with_and_without_second_level_scales_read_the_same_tokens(int scaled)
    {
        var problem = new LayerProblem(QuantizationScheme.W4A4, 3, [32, 32], 256);
        problem.Weights[scaled] = problem.Weights[scaled] with { GroupScales = Enumerable.Range(0, 64).Select(i => (byte)(1 + (i % PackingLayout.MaxGroupScale))).ToArray() };
        AssertExact(problem);
    }

    // Nothing is rounded in the products, and everything else is the same code: also where patches add.
    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(40)]
    [InlineData(70)]
    public void Four_bit_tokens_give_the_same_bits_as_bytes(int tokens)
    {
        var problem = new LayerProblem(QuantizationScheme.W4A4, tokens, [80, 16], 200, LinearGroupChecks.Mixed, [7, 20]);
        float[][] Outputs(int capability)
        {
            using var groups = new DeviceLinearGroups(new EmulatedDevice { ComputeCapability = capability }, new Lock());
            return [.. LinearGroupChecks.Run(groups.Create(problem.Weights, problem.Input), problem).Select(layer => layer.Data)];
        }

        Assert.Equal(Outputs(90), Outputs(80));
        Assert.Equal(Outputs(100), Outputs(89));
    }

    [Fact]
    public void Rotated_inputs_are_exact_and_stay_as_they_were()
    {
        var problem = new LayerProblem(QuantizationScheme.W8A8, 3, [32, 16], 192, LinearGroupChecks.Mixed) { RotationBlock = 64 };
        var x = problem.X.Data.ToArray();
        AssertExact(problem);
        Assert.Equal(x, problem.X.Data);
    }

    // What the first layer does not read is prepared for the second.
    [Fact]
    public void A_layer_may_be_the_only_one_with_patches()
    {
        var problem = new LayerProblem(QuantizationScheme.W4A8, 5, [32, 16], 128, LinearGroupChecks.Mixed, [0, 7]);
        using var groups = new DeviceLinearGroups(new EmulatedDevice(), new Lock());
        var (actual, prepared) = (LinearGroupChecks.Run(groups.Create(problem.Weights, problem.Input), problem), problem.Prepare());
        RoundingBound.Check(problem.Weights, prepared, problem.Expect(prepared), actual);
    }

    [Fact]
    public void Weights_are_copied_once()
    {
        var device = new CountingDevice(new EmulatedDevice());
        var problem = new LayerProblem(QuantizationScheme.W4A8, 2, [64, 16], 128, LinearGroupChecks.Mixed, [7, 20]);
        using var groups = new DeviceLinearGroups(device, new Lock());
        var group = groups.Create(problem.Weights, problem.Input);
        Assert.Equal(1, device.Allocations); // weights and factors together
        var y = LinearGroupChecks.Run(group, problem);
        var (written, allocations) = (device.WrittenBytes, device.Allocations);
        Assert.Equal(y.Select(layer => layer.Data), LinearGroupChecks.Run(group, problem).Select(layer => layer.Data));
        Assert.Equal(2 * ((128 * sizeof(float)) + 1), device.WrittenBytes - written); // the tokens and their modalities alone
        Assert.Equal(allocations, device.Allocations);
    }

    [Fact]
    public void Groups_share_their_working_memory()
    {
        var device = new CountingDevice(new EmulatedDevice());
        var (wide, narrow) = (new LayerProblem(QuantizationScheme.W8A8, 3, [64], 128), new LayerProblem(QuantizationScheme.W8A8, 2, [16], 64, seed: 2));
        using var groups = new DeviceLinearGroups(device, new Lock());
        ILinearGroup[] both = [groups.Create(wide.Weights, wide.Input), groups.Create(narrow.Weights, narrow.Input)];
        var y = LinearGroupChecks.Run(both[0], wide)[0].Data;
        var lent = device.LentBytes;
        LinearGroupChecks.Run(both[1], narrow);
        Assert.Equal(y, LinearGroupChecks.Run(both[0], wide)[0].Data);
        Assert.Equal(lent, device.LentBytes);
    }

    [Fact]
    public async Task Threads_may_share_groups()
    {
        LayerProblem[] problems = [new LayerProblem(QuantizationScheme.W8A8, 1, [32], 64), new LayerProblem(QuantizationScheme.W8A8, 3, [16], 128, seed: 2)];
        using var groups = new DeviceLinearGroups(new EmulatedDevice(), new Lock());
        ILinearGroup[] both = [.. problems.Select(problem => groups.Create(problem.Weights, problem.Input))];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Factory.StartNew(
            () =>
            {
                var problem = problems[thread % 2];
                var expected = problem.Expect(problem.Prepare())[0].Data;
                for (var run = 0; run < 4; run++)
                {
                    Assert.Equal(expected, LinearGroupChecks.Run(both[thread % 2], problem)[0].Data);
                }
            },
            default, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
    }

    [Fact]
    public void Disposing_frees_all_memory_and_groups_compute_no_more()
    {
        var device = new CountingDevice(new EmulatedDevice());
        var problem = new LayerProblem(QuantizationScheme.W4A8, 3, [64], 128, LinearGroupChecks.Mixed, [7]);
        var groups = new DeviceLinearGroups(device, new Lock());
        ILinearGroup[] both = [groups.Create(problem.Weights, problem.Input), groups.Create(problem.Weights, problem.Input)];
        LinearGroupChecks.Run(both[0], problem);
        Assert.NotEqual(0, device.LentBytes);
        groups.Dispose();
        groups.Dispose();
        Assert.Equal(0, device.LentBytes);
        Assert.All(both, group => Assert.Throws<ObjectDisposedException>(() => LinearGroupChecks.Run(group, problem)));
        Assert.Throws<ObjectDisposedException>(() => groups.Create(problem.Weights, problem.Input));
        Assert.Equal(0, device.LentBytes);
    }

    [Fact]
    public void What_does_not_fit_a_group_is_refused_before_the_device_is_asked()
    {
        var device = new CountingDevice(new EmulatedDevice());
        var (problem, other) = (new LayerProblem(QuantizationScheme.W8A8, 2, [16], 64), new LayerProblem(QuantizationScheme.W8A8, 2, [16], 128));
        using var groups = new DeviceLinearGroups(device, new Lock());
        Assert.Throws<ArgumentException>(() => groups.Create([.. problem.Weights, .. other.Weights], problem.Input));
        Assert.Throws<ArgumentException>(() => groups.Create(problem.Weights, other.Input));
        Assert.Throws<ArgumentException>(() => groups.Create([], problem.Input));
        Assert.Equal(0, device.Allocations);

        var group = groups.Create(problem.Weights, problem.Input);
        var written = device.WrittenBytes;
        Assert.Throws<ArgumentException>(() => group.Forward(other.X, problem.Modalities, [new Matrix(2, 16)]));
        Assert.Throws<ArgumentException>(() => group.Forward(problem.X, ModalityMap.Text(3), [new Matrix(2, 16)]));
        Assert.Throws<ArgumentException>(() => group.Forward(problem.X, problem.Modalities, [new Matrix(3, 16)]));
        Assert.Throws<ArgumentException>(() => group.Forward(problem.X, problem.Modalities, [new Matrix(2, 32)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => group.Forward(problem.X, problem.Modalities, []));
        Assert.Equal(written, device.WrittenBytes);
    }

    private static void AssertExact(LayerProblem problem)
    {
        using var groups = new DeviceLinearGroups(new EmulatedDevice(), new Lock());
        var expected = LinearGroupChecks.Run(new QuantizedLinearGroup(problem.Weights, problem.Input, new ScalarGemmBackend()), problem);
        var actual = LinearGroupChecks.Run(groups.Create(problem.Weights, problem.Input), problem);
        Assert.Equal(expected.Select(layer => layer.Data), actual.Select(layer => layer.Data));
    }
}
