using MASQuant.Cuda.Device;
using MASQuant.Cuda.Driver;
using MASQuant.Cuda.Gemm;
using MASQuant.Cuda.Models;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Vision;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Ptx;
using MASQuant.Tests;

namespace MASQuant.Cuda.Tests.Towers;

/// <summary>The whole vision tower through the shipped kernels, beside the processor's and an FP64 oracle.</summary>
[Trait("Lane", "slow")]
public sealed class DeviceVisionTowerTests
{
    // Heads of 16 and of 32 values, an MLP that fills the kernels' panels and one that does not; query, key and value as one tensor and as three; a frame of more than one tile, with windows cut off at the edge; two frames.
    public static TheoryData<string, int, int, int, int> Grids => new() { { RepositoryFiles.VlTiny, 92, 1, 6, 12 }, { RepositoryFiles.OmniTiny, 256, 2, 4, 6 } };

    // Each in one thing that the kernels do not take.
    private static readonly Dictionary<string, VisionConfig> Misfits = new()
    {
        ["rows"] = Config with { HiddenSize = 96 },
        ["heads of 2"] = Config with { Heads = 32 },
        ["heads of 160"] = Config with { HiddenSize = 1280, Heads = 8 },
        ["outputs"] = Config with { OutHiddenSize = 100 },
        ["inner layers"] = Config with { IntermediateSize = 94 },
        ["patches"] = Config with { PatchSize = 13, TemporalPatchSize = 1 },
        ["inner rows too long"] = Config with { IntermediateSize = PrepareKernels.MaxInputs + 4 },
        ["merged rows too long"] = Config with { HiddenSize = (PrepareKernels.MaxInputs / 4) + 64, Heads = (PrepareKernels.MaxInputs / 256) + 1 },
    };

    public static TheoryData<string> Others => [.. Misfits.Keys];

    private static VisionConfig Config
    {
        get
        {
            using var source = Checkpoint.Open(RepositoryFiles.VlTiny);
            return ModelConfigReader.Read(source).Vision;
        }
    }

    [Theory]
    [MemberData(nameof(Grids))]
    public void Tokens_are_within_their_rounding(string model, int inner, int frames, int rows, int columns) => Check(new EmulatedDevice(), model, inner, frames, rows, columns);

    [CudaFact]
    [Trait("Lane", "gpu")]
    public void Tokens_are_within_their_rounding_on_the_GPU()
    {
        using var device = CudaDevice.Open(0);
        foreach (var grid in Grids)
        {
            Check(device, (string)grid[0], (int)grid[1], (int)grid[2], (int)grid[3], (int)grid[4]);
        }
    }

    [Fact]
    public void Everything_is_given_back()
    {
        var device = new CountingDevice(new EmulatedDevice());
        using var source = Checkpoint.Open(RepositoryFiles.VlTiny);
        var config = ModelConfigReader.Read(source).Vision;
        using (var tower = new DeviceVisionTower(device, new Lock(), source, Qwen25VisionTower.Describe(config)))
        {
            var weights = device.LentBytes;
            Assert.Throws<OperationCanceledException>(() => tower.Forward(Random(1, 4, 4), new CancellationToken(canceled: true)));
            Assert.Equal(weights, device.LentBytes);
            Assert.Throws<ArgumentException>("image", () => tower.Forward(new ImagePatches(new Matrix(12, 1176), 1, 4, 4)));
        }

        Assert.Equal(0, device.LentBytes);
    }

    [Fact]
    public void A_model_encodes_images_on_its_device()
    {
        var device = new CountingDevice(new EmulatedDevice());
        using var processor = LoadedModel.Load(RepositoryFiles.VlTiny, new ModelOptions { Device = "cpu" });
        using var model = LoadedModel.Load(RepositoryFiles.VlTiny, new ModelOptions(), content => new CudaExecution(device, content));
        var (prompt, launches) = (new Prompt().Image(Golden.Load("vl/two-images").Files[0]).Text("What?"), device.Launches);
        var (actual, expected) = (model.Prepare(prompt), processor.Prepare(prompt));
        Assert.NotEqual(launches, device.Launches);
        Assert.Equal(expected.InputIds, actual.InputIds);
        var magnitude = Reference.Distance(Reference.Rows(expected.InputEmbeddings), Reference.Map(Reference.Rows(expected.InputEmbeddings), _ => 0));
        Assert.InRange(Reference.Distance(Reference.Rows(actual.InputEmbeddings), Reference.Rows(expected.InputEmbeddings)), 1e-9, magnitude / 10); // The bound itself is above; this finds rows out of place.
    }

    [Fact]
    public void The_models_extents_are_taken()
    {
        Assert.True(Supports(Config));
        Assert.True(Supports(Config with { HiddenSize = 1280, Heads = 16, IntermediateSize = 3420, OutHiddenSize = 3584 }));
    }

    [Theory]
    [MemberData(nameof(Others))]
    public void Other_extents_stay_on_the_processor(string name) => Assert.False(Supports(Misfits[name]));

    private static bool Supports(VisionConfig config) => DeviceVisionTower.Supports(Qwen25VisionTower.Describe(config));

    // Rounded in the same places, the oracle deviates as the device does; the device's roundings of nearly equal values are other draws of the same size.
    // So twice the oracle's own deviation bounds the norm of the difference, and as much again allows for the draw. The processor's FP32 is exact beside it.
    private static void Check(ICudaDevice device, string model, int inner, int frames, int rows, int columns)
    {
        using var checkpoint = Checkpoint.Open(model);
        var (config, image) = (ModelConfigReader.Read(checkpoint).Vision, Random(frames, rows, columns));
        config = config with { IntermediateSize = inner };
        using var source = new NarrowSource(checkpoint, inner);
        var exact = ReferenceVisionTower.Forward(source, config, image, rounds: false);
        var deviation = Reference.Distance(ReferenceVisionTower.Forward(source, config, image, rounds: true), exact);
        using var tower = new DeviceVisionTower(device, new Lock(), source, Qwen25VisionTower.Describe(config));
        var tokens = Reference.Rows(tower.Forward(image).Tokens);
        Assert.InRange(Reference.Distance(Reference.Rows(new VisionTower(source, Qwen25VisionTower.Describe(config)).Forward(image).Tokens), exact), 0, deviation / 20);
        Assert.InRange(Reference.Distance(tokens, exact), deviation / 100, 4 * deviation);
    }

    private static ImagePatches Random(int frames, int rows, int columns)
    {
        var (random, patches) = (new Random(rows), frames * rows * columns);
        return new ImagePatches(new Matrix(patches, 1176, [.. Enumerable.Range(0, patches * 1176).Select(_ => (random.NextSingle() * 4) - 2)]), frames, rows, columns);
    }
}
