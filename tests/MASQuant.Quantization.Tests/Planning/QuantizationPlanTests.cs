using MASQuant.Diagnostics;
using MASQuant.Formats.Checkpoints;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Planning;

public class QuantizationPlanTests
{
    /// <summary>Headers and the manifest are guessed, 2 % of so small an artifact; everything else is exact.</summary>
    [Theory]
    [InlineData("W4A8")]
    [InlineData("W8A8")]
    [InlineData("W4A16")]
    public void An_artifact_has_the_planned_size(string scheme)
    {
        using var folder = new TemporaryDirectory();
        Assert.True(QuantizationScheme.TryParse(scheme, out var parsed));
        var job = TinyRun.Job(folder.Path, new QuantizationOptions { Epochs = 0, Rank = 4, Scheme = parsed });
        var manifest = QuantizationPipeline.Run(job);
        var plan = Plan(job.ModelFolder, job.Options);
        Assert.InRange(plan.ArtifactBytes, 0.98 * manifest.ArtifactBytes, 1.02 * manifest.ArtifactBytes);
        Assert.Equal(plan.ArtifactBytes, plan.ArtifactBytesAt(parsed));
        Assert.Equal(new FileInfo(Path.Combine(job.ModelFolder, "model.safetensors")).Length, plan.Parts.Sum(part => part.Bytes), 20_000d); // the header
        Assert.Equal(21, plan.QuantizedLinears);
    }

    public static TheoryData<string, int, RotationKind, SmoothingKind, int> Forms
    {
        get
        {
            var forms = new TheoryData<string, int, RotationKind, SmoothingKind, int>();
            foreach (var scheme in QuantizationScheme.All)
            {
                forms.Add(scheme.ToString(), 0, RotationKind.None, SmoothingKind.ModalityAware, 4);
                forms.Add(scheme.ToString(), 128, RotationKind.All, SmoothingKind.None, 0);
            }

            return forms;
        }
    }

    /// <summary>To the byte: what the writer counts in the file that it writes.</summary>
    [Theory]
    [MemberData(nameof(Forms))]
    public void Quantized_layers_have_the_planned_bytes(string scheme, int groupSize, RotationKind rotation, SmoothingKind smoothing, int rank)
    {
        using var folder = new TemporaryDirectory();
        Assert.True(QuantizationScheme.TryParse(scheme, out var parsed));
        var options = new QuantizationOptions { Epochs = 0, Rank = rank, Scheme = parsed, GroupSize = groupSize, Rotation = rotation, Smoothing = smoothing, WeightQuantizer = WeightQuantizerKind.Rtn };
        var job = TinyRun.Job(folder.Path, options);
        var manifest = QuantizationPipeline.Run(job);
        var plan = Plan(job.ModelFolder, options);
        Assert.Equal(manifest.Layers.Sum(layer => layer.Linears.Sum(linear => linear.Bytes)), plan.QuantizedBytes);
        Assert.InRange(plan.ArtifactBytes, 0.98 * manifest.ArtifactBytes, 1.02 * manifest.ArtifactBytes);
    }

    [Fact]
    public void Tokens_are_counted_as_the_run_finds_them()
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path, new QuantizationOptions { Epochs = 0, Rank = 0, WeightQuantizer = WeightQuantizerKind.Rtn, Compensation = CompensationKind.None });
        var real = QuantizationPipeline.Run(job).Calibration!.Tokens;
        using var checkpoint = Checkpoint.Open(job.ModelFolder);
        var config = ModelConfigReader.Read(checkpoint);
        var extent = CalibrationExtent.Of(checkpoint, config, CalibrationSet.Load(job.CalibrationFile, config).Conversations);
        Assert.Equal(4, extent.Samples);
        Assert.All(Enum.GetValues<Modality>(), modality => Assert.Equal(real.GetValueOrDefault(modality.ToString()), extent.ByModality[(int)modality]));
        Assert.InRange(extent.Longest, extent.Tokens / 4, extent.Tokens);
    }

    [Fact]
    public void More_of_anything_takes_more()
    {
        var small = Plan(RepositoryFiles.VlTiny, new QuantizationOptions());
        var typical = CalibrationExtent.Typical(ModelConfigReader.ReadFolder(RepositoryFiles.VlTiny));
        var longer = Plan(RepositoryFiles.VlTiny, new QuantizationOptions(), typical with { ByModality = [.. typical.ByModality.Select(tokens => 4 * tokens)] });
        Assert.True(longer.Operations > 2 * small.Operations);
        Assert.True(longer.MemoryBytes > small.MemoryBytes);
        Assert.True(Plan(RepositoryFiles.VlTiny, new QuantizationOptions { Epochs = 1 }).Operations > small.Operations);
        Assert.True(Plan(RepositoryFiles.VlTiny, new QuantizationOptions { Alternations = 1 }).Operations > small.Operations);
        Assert.True(Plan(RepositoryFiles.VlTiny, new QuantizationOptions { Rank = 64 }).ArtifactBytes > small.ArtifactBytes);
        Assert.True(small.DiskBytes > small.ArtifactBytes);
    }

    [Fact]
    public void Too_little_disk_or_memory_is_refused_with_both_numbers()
    {
        var plan = Plan(RepositoryFiles.VlTiny, new QuantizationOptions());
        Preflight.Check(plan, new MachineResources(plan.DiskBytes, plan.MemoryBytes), 0, "model", "out");
        Preflight.Check(plan, new MachineResources(plan.DiskBytes - 1000, plan.MemoryBytes), 1000, "model", "out");
        var disk = Assert.Throws<MASQuantException>(() => Preflight.Check(plan, new MachineResources(1_000_000, plan.MemoryBytes), 0, "model", "out"));
        Assert.Equal((DiagnosticCodes.NotEnoughDisk, "out"), (disk.Code, disk.File));
        Assert.Contains("0.001 GB are free", disk.Message, StringComparison.Ordinal);
        var memory = Assert.Throws<MASQuantException>(() => Preflight.Check(plan, new MachineResources(plan.DiskBytes, 64_000_000), 0, "model", "out"));
        Assert.Equal((DiagnosticCodes.NotEnoughMemory, "model"), (memory.Code, memory.File));
        Assert.Contains("has 0.064 GB", memory.Message, StringComparison.Ordinal);
    }

    /// <summary>Activations 131072 wide have Gram matrices of 69 GB each, which no machine that runs tests holds. The weights are holes on the disk.</summary>
    [Fact]
    public void A_model_too_large_for_the_machine_is_refused_before_any_work()
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path) with { ModelFolder = WideCheckpoint.Write(folder.File("wide"), intermediate: 131072) };
        var error = Assert.Throws<MASQuantException>(() => QuantizationPipeline.Run(job));
        Assert.Equal(DiagnosticCodes.NotEnoughMemory, error.Code);
        Assert.False(Directory.Exists(job.OutputFolder));
        Assert.False(Directory.Exists(job.WorkFolder));
    }

    [Fact]
    public void Headers_that_lack_what_the_configuration_calls_for_are_refused()
    {
        using var folder = new TemporaryDirectory();
        var model = WideCheckpoint.Write(folder.File("model"), intermediate: 256);
        Assert.Equal(21, Plan(model, new QuantizationOptions()).QuantizedLinears);
        var config = File.ReadAllText(Path.Combine(model, "config.json"));
        File.WriteAllText(Path.Combine(model, "config.json"), config.Replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4", StringComparison.Ordinal));
        var missing = Assert.Throws<MASQuantException>(() => Plan(model, new QuantizationOptions()));
        Assert.Equal(DiagnosticCodes.TensorMissing, missing.Code);
        Assert.Contains("model.layers.3.self_attn.q_proj.weight", missing.Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(model, "config.json"), config.Replace("\"intermediate_size\": 256", "\"intermediate_size\": 512", StringComparison.Ordinal));
        Assert.Equal(DiagnosticCodes.TensorMismatch, Assert.Throws<MASQuantException>(() => Plan(model, new QuantizationOptions())).Code);
    }

    private static QuantizationPlan Plan(string folder, QuantizationOptions options, CalibrationExtent? extent = null)
    {
        using var checkpoint = Checkpoint.Open(folder);
        var config = ModelConfigReader.Read(checkpoint);
        return QuantizationPlan.Of(checkpoint, config, options, extent ?? CalibrationExtent.Typical(config));
    }
}
