using MASQuant.Diagnostics;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Calibration;

public class CalibrationSubsetTests
{
    private const int Samples = 64;

    private static readonly ModelConfig Config = ReadConfig();
    private static readonly CalibrationSet Whole = CalibrationSet.Load(RepositoryFiles.Data("calibration.jsonl"), Config);

    [Fact]
    public void The_same_seed_draws_the_same_samples_in_the_order_of_the_file()
    {
        var lines = Lines(seed: 1);
        Assert.Equal(lines, Lines(seed: 1));
        Assert.Equal(lines.Distinct().Order(), lines);
        Assert.Equal(Samples, lines.Length);
        Assert.All(lines, line => Assert.Contains(Whole.Conversations, conversation => conversation.Line == line));
    }

    [Fact]
    public void Other_seeds_draw_other_samples()
    {
        int[][] draws = [.. Enumerable.Range(1, 5).Select(seed => Lines((ulong)seed))];
        Assert.Equal(draws.Length, draws.Select(lines => string.Join(',', lines)).Distinct().Count());

        // 5 draws of half of the set miss a sample with probability 2⁻⁵: it would take a draw that favours lines to reach few of the 128.
        Assert.InRange(draws.SelectMany(lines => lines).Distinct().Count(), Whole.Conversations.Count * 3 / 4, Whole.Conversations.Count);
    }

    [Fact]
    public void The_hash_is_that_of_the_drawn_samples()
    {
        var part = Whole.Take(new CalibrationSubset(Samples, 3), Config);
        Assert.Equal(part.Conversations.Select(CalibrationSet.Hash), part.SampleHashes);
        Assert.NotEqual(Whole.Sha256, part.Sha256);
        Assert.Equal(Whole.Sha256, Whole.Take(new CalibrationSubset(Whole.Conversations.Count, 3), Config).Sha256);
    }

    [Fact]
    public void A_draw_has_every_modality_that_the_set_has()
    {
        for (var seed = 0UL; seed < 100; seed++)
        {
            // Two samples can hold them all: one of images, one of audio.
            var conversations = Whole.Take(new CalibrationSubset(2, seed), Config).Conversations;
            Assert.Equal(2, conversations.Select(conversation => conversation.Line).Distinct().Count());
            Assert.All(Config.Modalities, modality => Assert.Contains(conversations, conversation => conversation.Has(modality)));
        }
    }

    [Theory]
    [InlineData(0, DiagnosticCodes.CalibrationSubsetTooLarge)]
    [InlineData(129, DiagnosticCodes.CalibrationSubsetTooLarge)]
    [InlineData(1, DiagnosticCodes.CalibrationModalityMissing)]
    public void A_draw_that_cannot_calibrate_is_refused(int samples, string code)
    {
        // Seed 0 draws a sample of a single medium first.
        var error = Assert.Throws<MASQuantException>(() => Whole.Take(new CalibrationSubset(samples, 0), Config));
        Assert.Equal((code, Whole.Path), (error.Code, error.File));
    }

    [Fact]
    public void A_job_calibrates_on_its_subset_and_its_key_covers_it()
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path, TinyRun.Options with { Epochs = 0 });
        CalibrationSubset[] subsets = [new(4, 1), new(4, 2), new(3, 1)];
        string[] keys = [QuantizationPipeline.KeyOf(job), .. subsets.Select(subset => QuantizationPipeline.KeyOf(job with { Subset = subset }))];
        Assert.Equal(keys.Length, keys.Distinct().Count());

        var facts = QuantizationPipeline.Run(job with { Subset = subsets[2] }).Calibration!;
        Assert.Equal((3, 1UL), (facts.Samples, facts.SubsetSeed));
    }

    private static int[] Lines(ulong seed) => [.. Whole.Take(new CalibrationSubset(Samples, seed), Config).Conversations.Select(conversation => conversation.Line)];

    private static ModelConfig ReadConfig()
    {
        using var checkpoint = Checkpoint.Open(RepositoryFiles.OmniTiny);
        return ModelConfigReader.Read(checkpoint);
    }
}
