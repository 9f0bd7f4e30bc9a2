using MASQuant.Diagnostics;
using MASQuant.Formats.Files;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Run;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

/// <summary>Another version comes while a model is being quantized: nothing is left that would lie under a key of either.</summary>
[Trait("Lane", "slow")]
public sealed class ChangedInputTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly QuantizationJob _job;

    public ChangedInputTests()
    {
        var job = TinyRun.Job(_folder.File("run"));
        var model = Directory.CreateDirectory(_folder.File("model")).FullName;
        foreach (var file in Directory.EnumerateFiles(job.ModelFolder))
        {
            File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        }

        _job = job with { ModelFolder = model };
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("model.safetensors", QuantizationStage.Prepare, -1, false)]
    [InlineData("model.safetensors", QuantizationStage.Quantize, 0, false)]
    [InlineData("model.safetensors", QuantizationStage.Quantize, 1, true)]
    [InlineData("model.safetensors", QuantizationStage.Write, -1, true)]
    [InlineData("config.json", QuantizationStage.Prepare, -1, false)]
    [InlineData("config.json", QuantizationStage.Compensate, 2, true)]
    public void A_file_that_changes_ends_the_run(string name, QuantizationStage stage, int layer, bool keepsTime)
    {
        var path = Path.Combine(_job.ModelFolder, name);
        var problem = Assert.Throws<MASQuantException>(() => RunAnd(stage, layer, () => Change(path, keepsTime)));
        AssertNothingKept(problem);
    }

    [Fact]
    public void So_does_one_that_comes_and_goes_again()
    {
        var path = Path.Combine(_job.ModelFolder, "model.safetensors");
        var before = File.ReadAllBytes(path);
        var problem = Assert.Throws<MASQuantException>(() => RunAnd(QuantizationStage.Quantize, 1, () =>
        {
            Change(path, keepsTime: false);
            File.WriteAllBytes(path, before);
        }));
        AssertNothingKept(problem);
    }

    [Fact]
    public void No_block_of_other_files_waits_for_the_next_run()
    {
        var path = Path.Combine(_job.ModelFolder, "model.safetensors");
        var (before, time) = (File.ReadAllBytes(path), File.GetLastWriteTimeUtc(path));
        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<Exception>(() => QuantizationPipeline.Run(_job, new Each(p =>
        {
            if (p is { Layer: 1, Stage: QuantizationStage.Calibrate })
            {
                using var weights = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
                weights.Position = weights.Length / 2;
                weights.Write(new byte[4096]); // zeros among the weights
            }
            else if (p.Layer == 2)
            {
                source.Cancel();
            }
        }), source.Token));
        File.WriteAllBytes(path, before);
        File.SetLastWriteTimeUtc(path, time);
        QuantizationPipeline.Run(_job);

        using var other = new TemporaryDirectory();
        var untouched = _job with { OutputFolder = other.File("out"), WorkFolder = other.File("work") };
        QuantizationPipeline.Run(untouched);
        Assert.Equal(TinyRun.HashOf(untouched), TinyRun.HashOf(_job));
    }

    [Fact]
    public void A_key_of_other_files_is_refused_before_any_work()
    {
        var key = ArtifactKey.Of(_job, file => ContentHash.OfFile(file));
        Change(Path.Combine(_job.ModelFolder, "model.safetensors"), keepsTime: true);
        var seen = new List<QuantizationStage>();
        var problem = Assert.Throws<MASQuantException>(() => QuantizationPipeline.Run(_job with { Key = key }, new Each(p => seen.Add(p.Stage))));
        AssertNothingKept(problem);
        Assert.DoesNotContain(QuantizationStage.Calibrate, seen);
    }

    [Fact]
    public void Media_of_the_calibration_set_count_too()
    {
        var data = Path.GetDirectoryName(_job.CalibrationFile)!;
        var medium = ModelInputs.OfConversations(_job.CalibrationFile)[0];
        var copy = Directory.CreateDirectory(_folder.File("data")).FullName;
        File.Copy(_job.CalibrationFile, Path.Combine(copy, "calibration.jsonl"));
        foreach (var file in ModelInputs.OfConversations(_job.CalibrationFile))
        {
            var target = Path.Combine(copy, Path.GetRelativePath(data, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        var changed = Path.Combine(copy, Path.GetRelativePath(data, medium));
        var problem = Assert.Throws<MASQuantException>(() => RunAnd(QuantizationStage.Smooth, 0, () => File.SetLastWriteTimeUtc(changed, DateTime.UtcNow.AddHours(1)), _job with { CalibrationFile = Path.Combine(copy, "calibration.jsonl") }));
        AssertNothingKept(problem);
        Assert.Contains(changed, problem.Message, StringComparison.Ordinal);
    }

    private void AssertNothingKept(MASQuantException problem)
    {
        Assert.Equal(DiagnosticCodes.InputChanged, problem.Code);
        Assert.False(Directory.Exists(_job.OutputFolder) && Directory.EnumerateFileSystemEntries(_job.OutputFolder).Any());
        Assert.False(Directory.Exists(_job.WorkFolder));
    }

    private void RunAnd(QuantizationStage stage, int layer, Action change, QuantizationJob? job = null)
    {
        var done = false;
        QuantizationPipeline.Run(job ?? _job, new Each(p =>
        {
            if (!done && p.Stage == stage && p.Layer == layer)
            {
                done = true;
                change();
            }
        }));
    }

    // Other weights of the same size, or white space; perhaps under the old time, as a copy that keeps times would leave it.
    private static void Change(string path, bool keepsTime)
    {
        var time = File.GetLastWriteTimeUtc(path);
        var bytes = File.ReadAllBytes(path);
        if (path.EndsWith(".json", StringComparison.Ordinal))
        {
            bytes = [.. bytes, (byte)' '];
        }
        else
        {
            bytes[^2] ^= 1;
        }

        File.WriteAllBytes(path, bytes);
        File.SetLastWriteTimeUtc(path, keepsTime ? time : time.AddSeconds(1));
    }

    private sealed class Each(Action<QuantizationProgress> action) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value) => action(value);
    }
}
