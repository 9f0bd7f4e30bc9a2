using MASQuant.Cuda.Device;
using MASQuant.Cuda.Driver;
using MASQuant.Cuda.Gemm;
using MASQuant.Cuda.Models;
using MASQuant.Engine.Audio;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Ptx;
using MASQuant.Tests;

namespace MASQuant.Cuda.Tests.Towers;

/// <summary>The whole audio tower through the shipped kernels, beside the processor's and an FP64 oracle.</summary>
[Trait("Lane", "slow")]
public sealed class DeviceAudioTowerTests
{
    // Each in one thing that the kernels do not take.
    private static readonly Dictionary<string, AudioConfig> Misfits = new()
    {
        ["rows"] = Config with { ModelSize = 136, Heads = 2 },
        ["heads"] = Config with { Heads = 64 },
        ["inner layers"] = Config with { FeedForwardSize = 500 },
        ["outputs"] = Config with { OutputSize = 100 },
        ["spectra"] = Config with { MelBins = 126 },
        ["inner rows too long"] = Config with { FeedForwardSize = PrepareKernels.MaxInputs + 16 },
        ["convolved rows too long"] = Config with { ModelSize = (PrepareKernels.MaxInputs / 3) + 64, Heads = (PrepareKernels.MaxInputs / 192) + 1 },
    };

    public static TheoryData<string> Others => [.. Misfits.Keys];

    private static AudioConfig Config
    {
        get
        {
            using var source = Checkpoint.Open(RepositoryFiles.OmniTiny);
            return ModelConfigReader.Read(source).Audio!;
        }
    }

    [Fact]
    public void Tokens_are_within_their_rounding() => Check(new EmulatedDevice());

    [CudaFact]
    [Trait("Lane", "gpu")]
    public void Tokens_are_within_their_rounding_on_the_GPU()
    {
        using var device = CudaDevice.Open(0);
        Check(device);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_clip_too_short_for_a_token_has_none(int frames)
    {
        var device = new CountingDevice(new EmulatedDevice());
        using var source = Checkpoint.Open(RepositoryFiles.OmniTiny);
        var config = ModelConfigReader.Read(source).Audio!;
        using (var tower = new DeviceAudioTower(device, new Lock(), source, Qwen25AudioTower.Describe(config)))
        {
            Assert.Equal(0, tower.Forward(new Matrix(config.MelBins, frames)).Rows);
            Assert.Throws<OperationCanceledException>(() => tower.Forward(new Matrix(config.MelBins, 8), new CancellationToken(canceled: true)));
            Assert.Throws<ArgumentOutOfRangeException>("mel", () => tower.Forward(new Matrix(config.MelBins + 1, 8)));
        }

        Assert.Equal(0, device.LentBytes);
    }

    [Fact]
    public void The_models_extents_are_taken()
    {
        Assert.True(Supports(Config));
        Assert.True(Supports(Config with { ModelSize = 1280, Heads = 20, FeedForwardSize = 5120, OutputSize = 3584 }));
    }

    [Theory]
    [MemberData(nameof(Others))]
    public void Other_extents_stay_on_the_processor(string name) => Assert.False(Supports(Misfits[name]));

    private static bool Supports(AudioConfig config) => DeviceAudioTower.Supports(Qwen25AudioTower.Describe(config));

    // Runs of two windows: the second run is a window of 31 frames, 16 rows, after 200. The bound is that of the vision tower's test.
    private static void Check(ICudaDevice device)
    {
        using var source = Checkpoint.Open(RepositoryFiles.OmniTiny);
        var (config, random) = (ModelConfigReader.Read(source).Audio!, new Random(4));
        var frames = (4 * config.HalfWindow) + 31;
        var mel = new Matrix(config.MelBins, frames, [.. Enumerable.Range(0, config.MelBins * frames).Select(_ => (random.NextSingle() * 3) - 1.5f)]);
        var exact = ReferenceAudioTower.Forward(source, config, mel, rounds: false);
        var deviation = Reference.Distance(ReferenceAudioTower.Forward(source, config, mel, rounds: true), exact);
        using var tower = new DeviceAudioTower(device, new Lock(), source, Qwen25AudioTower.Describe(config), windowsAtOnce: 2);
        var tokens = Reference.Rows(tower.Forward(mel));
        Assert.Equal(AudioTower.TokenCount(frames), tokens.Length);
        Assert.InRange(Reference.Distance(Reference.Rows(new AudioTower(source, Qwen25AudioTower.Describe(config)).Forward(mel)), exact), 0, deviation / 20);
        Assert.InRange(Reference.Distance(tokens, exact), deviation / 100, 4 * deviation);
    }
}
