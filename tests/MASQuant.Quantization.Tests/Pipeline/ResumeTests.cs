using MASQuant.Quantization.Facts;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

[Trait("Lane", "slow")]
public class ResumeTests
{
    [Fact]
    public void A_cancelled_run_resumes_at_the_first_unfinished_block_with_the_same_bytes()
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path);
        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => QuantizationPipeline.Run(job, new Each(p =>
        {
            if (p is { Layer: 2, Stage: QuantizationStage.Smooth })
            {
                source.Cancel();
            }
        }), source.Token));
        Assert.False(Directory.Exists(job.OutputFolder));

        var seen = new List<QuantizationProgress>();
        QuantizationPipeline.Run(job, new Each(seen.Add));

        Assert.Equal([0, 1], seen.Where(p => p.Stage == QuantizationStage.Prepare && p.Layer >= 0).Select(p => p.Layer));
        Assert.Equal([2], seen.Where(p => p.Stage == QuantizationStage.Quantize).Select(p => p.Layer).Distinct());
        Assert.Equal(TinyRun.Hash(), TinyRun.HashOf(job));
        Assert.False(Directory.Exists(job.WorkFolder));

        // The blocks of the first run have kept their times.
        var times = FactsFile.ReadTimes(TinyRun.ArtifactPath(job))!;
        Assert.Equal(3, times.Blocks.Count);
        Assert.All(times.Blocks, block => Assert.Equal(["Calibrate", "Compensate", "Quantize", "Smooth"], block.Keys));
        Assert.All(times.Blocks, block => Assert.InRange(block.Values.Sum(), 0.001, 100));
    }

    [Fact]
    public void Blocks_of_a_run_with_other_options_are_not_used()
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path);
        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => QuantizationPipeline.Run(job, new Each(p =>
        {
            if (p.Layer == 1)
            {
                source.Cancel();
            }
        }), source.Token));

        var other = job with { Options = TinyRun.Options with { Rank = 2 } };
        QuantizationPipeline.Run(other);
        Assert.Equal(TinyRun.Hash(other.Options), TinyRun.HashOf(other));
    }

    [Theory]
    [InlineData("layer-001.safetensors", 1000)]
    [InlineData("layer-001.json", 300)]
    [InlineData("layer-001.facts.json", 300)]
    public void A_damaged_block_is_computed_again(string file, int length)
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path);
        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => QuantizationPipeline.Run(job, new Each(p =>
        {
            if (p.Layer == 2)
            {
                source.Cancel();
            }
        }), source.Token));
        var block = Path.Combine(job.WorkFolder, file);
        File.WriteAllBytes(block, File.ReadAllBytes(block)[..length]);

        QuantizationPipeline.Run(job);
        Assert.Equal(TinyRun.Hash(), TinyRun.HashOf(job));
    }

    // Flipped in the middle, where weights lie, figures stand, and ranks.
    [Theory]
    [InlineData("layer-001.safetensors")]
    [InlineData("layer-001.json")]
    [InlineData("layer-001.facts.json")]
    [InlineData("layer-001.seal.json")]
    [InlineData("ranks")]
    public void A_flipped_bit_is_noticed(string file)
    {
        using var folder = new TemporaryDirectory();
        var options = TinyRun.Options with { PatchBytes = 20_000 };
        var job = TinyRun.Job(folder.Path, options);
        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => QuantizationPipeline.Run(job, new Each(p =>
        {
            if (p.Layer == 2)
            {
                source.Cancel();
            }
        }), source.Token));
        var block = Path.Combine(job.WorkFolder, file);
        var bytes = File.ReadAllBytes(block);
        bytes[file == "ranks" ? ^1 : bytes.Length / 2] ^= 1; // Of ranks the last one: another rank.
        File.WriteAllBytes(block, bytes);

        QuantizationPipeline.Run(job);
        Assert.Equal(TinyRun.Hash(options), TinyRun.HashOf(job));
    }

    [Fact]
    public void Progress_never_goes_back_and_ends_at_one()
    {
        using var folder = new TemporaryDirectory();
        var seen = new List<QuantizationProgress>();
        QuantizationPipeline.Run(TinyRun.Job(folder.Path), new Each(seen.Add));
        Assert.Equal(seen.Select(p => p.Fraction).Order(), seen.Select(p => p.Fraction));
        Assert.Equal(1, seen[^1].Fraction);
        Assert.Contains(seen, p => p.Remaining is not null);
        Assert.Contains(seen, p => p is { Stage: QuantizationStage.Compensate, Modality: Modality.Vision });
    }

    private sealed class Each(Action<QuantizationProgress> action) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value) => action(value);
    }
}
