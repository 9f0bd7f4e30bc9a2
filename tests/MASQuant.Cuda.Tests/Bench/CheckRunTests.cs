using MASQuant.Bench.Cuda;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Driver;
using MASQuant.Cuda.Gemm;
using MASQuant.Cuda.Tests.Kernels;
using MASQuant.Diagnostics;
using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Bench;

/// <summary>The checks as the benchmark's executable runs them. Each of them runs in the tests of its kernels, too.</summary>
[Trait("Lane", "slow")]
public class CheckRunTests
{
    public static TheoryData<string> Decoders => [.. DecoderChecks.All.Concat(SessionChecks.All).Select(check => check.Name)];

    [Fact]
    public void A_selection_passes()
    {
        var log = new StringWriter();
        DeviceCheck[] checks = [.. DeviceChecks.All.Where(check => check.Name is "prepare_tokens: 3 × 64, 8 bits" or "product: W4A8, 1 × 64 × 64" or "choose: 3 × 300" or "take_rows: 2 of 5")];
        Assert.True(CheckRun.Run(new EmulatedDevice(), checks, log), log.ToString());
        Assert.Equal(checks.Select((check, i) => $"[{i + 1}/4] passed {check.Name}"), log.ToString().Split(Environment.NewLine).Take(4));
        Assert.Contains("4 passed, 0 failed", log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_kernel_fails_its_check_alone()
    {
        var log = new StringWriter();
        var device = new EmulatedDevice(Mutation.Replace("take_rows", @"add\.rn\.f32", "sub.rn.f32"));
        DeviceCheck[] checks = [.. DecoderStepChecks.All.Where(check => check.Name.StartsWith("take_rows", StringComparison.Ordinal) || check.Name.StartsWith("arrange_bf16: 21", StringComparison.Ordinal))];
        Assert.False(CheckRun.Run(device, checks, log));
        Assert.Contains("FAILED take_rows", log.ToString(), StringComparison.Ordinal);
        Assert.Contains("1 passed, 1 failed", log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Other_bits_the_second_time_are_a_failure()
    {
        var (log, value) = (new StringWriter(), 0);
        void Drift(ICudaDevice device)
        {
            using var memory = new DeviceArray<int>(device, [value++]);
            memory.Read();
        }

        Assert.False(CheckRun.Run(new EmulatedDevice(), [new("drift", Drift)], log));
        Assert.Contains("other bits", log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void After_a_device_is_lost_nothing_is_run()
    {
        var log = new StringWriter();
        DeviceCheck[] checks = [new("lost", _ => throw new MASQuantException(DiagnosticCodes.DriverCallFailed, null, "gone")), new("later", _ => Assert.Fail("It was run."))];
        Assert.False(CheckRun.Run(new EmulatedDevice(), checks, log));
        Assert.Contains("MASQ1006: gone", log.ToString(), StringComparison.Ordinal);
        Assert.Contains("1 checks were not run", log.ToString(), StringComparison.Ordinal);
        Assert.Contains("0 passed, 1 failed", log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_tell_checks_apart() => Assert.Equal(DeviceChecks.All.Count + FullSizeChecks.Of(BenchPlan.Full.Checked).Count, DeviceChecks.All.Concat(FullSizeChecks.Of(BenchPlan.Full.Checked)).Select(check => check.Name).Distinct().Count());

    [Theory]
    [InlineData(80)]
    [InlineData(90)]
    public void Every_kernel_is_checked(int capability)
    {
        // Zeros are never what it should be: a check that passes where nothing is computed proves nothing.
        var device = new BlankDevice(capability);
        Assert.Empty(DeviceChecks.All.Where(check => Record.Exception(() => check.Run(device)) is not (CheckFailedException or MASQuantException)).Select(check => check.Name));

        var catalog = PrepareKernels.All.Concat(GemmKernels.All).Concat(DecoderKernels.All).Concat(TokenKernels.All).Concat(TowerKernels.All).Concat(StateKernels.All).Where(kernel => kernel.Module.IsFor(capability));
        Assert.Empty(catalog.Except(device.Launched).Select(kernel => kernel.Entry));
    }

    [Theory]
    [MemberData(nameof(Decoders))]
    public void Decoders_equal_the_processors(string check)
    {
        // W4A4 with the 4-bit MMA, and without.
        foreach (var capability in check.Contains("W4A4", StringComparison.Ordinal) ? (int[])[80, 90] : check.Contains("70", StringComparison.Ordinal) ? [90] : [80])
        {
            DeviceChecks.Run(check, new EmulatedDevice { ComputeCapability = capability });
        }
    }

    [CudaFact]
    [Trait("Lane", "gpu")]
    public void Everything_holds_on_the_GPU()
    {
        var log = new StringWriter();
        using var device = CudaDevice.Open(0);
        Assert.True(CheckRun.Run(device, [.. DeviceChecks.All, .. FullSizeChecks.Of(BenchPlan.Full.Checked)], log), log.ToString());
    }
}
