using System.Text.Json;
using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Models.Qwen2VL;
using MASQuant.Formats.Models.Qwen3VL;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>Which frames of a video are looked at where fewer are asked for than there are.</summary>
public sealed class VideoFramesTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    // What each family's video processor takes. One row names a frame behind the last, which nothing could read.
    [SkippableFact]
    public void Frames_are_those_of_the_reference()
    {
        var table = FamilyFixtures.Table("video-frames");
        Assert.Equal(2, table.EnumerateArray().Select(row => row.GetProperty("processor").GetString()).Distinct().Count());
        foreach (var row in table.EnumerateArray())
        {
            var (total, rate) = (row.GetProperty("total").GetInt32(), row.GetProperty("video_fps").GetDouble());
            foreach (var family in row.GetProperty("processor").GetString() == "Qwen3VL" ? (ModelFamily[])[new Qwen3VL()] : [new Qwen2VL(), new Qwen25VL(), new Qwen25Omni()])
            {
                var sampling = family.Sampling(TinyConfigs.VL);
                var taken = sampling.Take(total, row.TryGetProperty("ask_fps", out var perSecond) ? sampling.Count(total, rate, perSecond.GetDouble(), null) : Asked(row, family));
                var frames = row.GetProperty("frames");
                if (frames.ValueKind == JsonValueKind.Array)
                {
                    Assert.Equal(Readable(frames, total), taken);
                    continue;
                }

                var last = Readable(frames.GetProperty("last"), total);
                Assert.Equal(frames.GetProperty("count").GetInt32() - frames.GetProperty("last").GetArrayLength() + last.Length, taken.Length);
                Assert.Equal(Readable(frames.GetProperty("first"), total), taken[..10]);
                Assert.Equal(last, taken[^last.Length..]);
            }
        }

        // A number that is asked for, not a limit, is rounded to whole patches.
        static int Asked(JsonElement row, ModelFamily family)
            => row.GetProperty("ask_num_frames").GetInt32() is var count && family is Qwen25Family ? 2 * (int)Math.Round(count / 2.0, MidpointRounding.ToEven) : count;

        static int[] Readable(JsonElement frames, int total) => [.. frames.EnumerateArray().Select(frame => frame.GetInt32()).Where(frame => frame < total)];
    }

    // In FP64 a multiple of the step may fall just below a whole number, which FP32, that the reference counts in, rounds to.
    [Fact]
    public void A_step_that_ends_at_a_frame_takes_it()
    {
        var sampling = new Qwen25VL().Sampling(TinyConfigs.VL);
        for (var total = 1; total < 200; total++)
        {
            for (var count = 1; count <= total; count++)
            {
                var taken = sampling.Take(total, count);
                Assert.All(Enumerable.Range(0, count).Where(i => i * total % count == 0), i => Assert.Equal(i * total / count, taken[i]));
            }
        }
    }

    [Theory]
    [InlineData(false, 9, 3.0, null, null, new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8 })]
    [InlineData(false, 9, 3.0, null, 9, new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8 })] // nothing is to be left out
    [InlineData(false, 9, 3.0, null, 5, new[] { 0, 2, 4, 6 })] // whole patches, and no more than the limit
    [InlineData(false, 9, 3.0, null, 1, new[] { 0 })]
    [InlineData(false, 9, 3.0, 0.01, null, new[] { 0, 2, 4, 6 })] // four at least
    [InlineData(false, 9, 3.0, 0.01, 2, new[] { 0, 4 })] // but for a limit
    [InlineData(false, 3, 3.0, 1.0, null, new[] { 0, 1 })]
    [InlineData(false, 1, 3.0, 1.0, null, new[] { 0 })]
    [InlineData(true, 9, 3.0, null, 5, new[] { 0, 2, 4, 6, 8 })]
    [InlineData(true, 9, 3.0, null, 1, new[] { 0 })]
    [InlineData(true, 9, 3.0, 2.0, null, new[] { 0, 2, 3, 5, 6, 8 })] // 1.6, 3.2, 4.8, 6.4
    [InlineData(true, 9, 3.0, 0.01, 3, new[] { 0, 4, 8 })]
    [InlineData(true, 1, 1e-300, 1.0, null, new[] { 0 })]
    public void A_limit_is_kept(bool firstToLast, int total, double rate, double? perSecond, int? most, int[] frames)
    {
        var sampling = (firstToLast ? (ModelFamily)new Qwen3VL() : new Qwen25VL()).Sampling(TinyConfigs.VL);
        Assert.Equal(frames, sampling.Take(total, sampling.Count(total, rate, perSecond, most)));
    }

    // Four of eight frames at 4 a second are 2 a second: rows a second apart, two positions.
    [Fact]
    public void Tokens_and_positions_are_of_the_frames_that_are_taken()
    {
        using var model = LoadedModel.Load(RepositoryFiles.VlTiny);
        using var limited = LoadedModel.Load(RepositoryFiles.VlTiny, new ModelOptions { MaxFrames = 2 });
        string[] frames = [.. Golden.Load("vl/video").Files.Concat(Golden.Load("vl/video").Files).Take(8)];
        Assert.Equal(8, frames.Length);
        var all = Rows(model, new Prompt().Video(frames, 4));

        Assert.Equal([0, 1, 2, 3], all); // half a second, a position
        Assert.Equal([0, 2], Rows(model, new Prompt().Frames(maxPerSecond: 2).Video(frames, 4)));
        Assert.Equal([0, 2], Rows(model, new Prompt().Frames(max: 4).Video(frames, 4)));
        Assert.Equal([0], Rows(limited, new Prompt().Video(frames, 4)));
        Assert.Equal([0, 1, 2], Rows(limited, new Prompt().Frames(max: 6).Video(frames, 4))); // 4/3 s, 1.33 positions and 2.67
        Assert.Equal([0], Rows(limited, new Prompt().Frames(max: 6).Frames().Video(frames, 4)));

        using var source = Checkpoint.Open(RepositoryFiles.VlTiny);
        Assert.Equal(model.Prepare(new Prompt().Frames(max: 4).Video(frames, 4)).Modalities.CountOf(Modality.Vision), new PromptCounter(source, model.Config, new ImageBudget { MaxFrames = 4 }).Count(new Prompt().Video(frames, 4).Messages)[(int)Modality.Vision]);
    }

    // Frames 0, 2, 5 and 7 of two a second.
    [Fact]
    public void Times_are_those_of_the_frames_that_are_taken()
    {
        var config = ModelConfigReader.ReadFolder(SmallCheckpoint.Write(_folder.File("model")));
        var eight = new VideoPart([.. Enumerable.Range(0, 8).Select(number => MediaSource.File($"{number}.png"))], 2) { MaxFrames = 4 };
        var taken = Take(eight);

        Assert.Equal(["0.png", "2.png", "5.png", "7.png"], taken.Frames.Select(frame => frame.Path));
        Assert.Equal(1, taken.FramesPerSecond);
        Assert.Equal(["<0.5 seconds>", "<3.0 seconds>"], Texts(taken)); // (0 + 1) / 2, (2.5 + 3.5) / 2
        Assert.Equal(["<10.5 seconds>", "<13.0 seconds>"], Texts(Take(eight with { FrameTimes = [10, 10.5, 11, 11.5, 12, 12.5, 13, 13.5] })));
        Assert.All((double[][])[[1], [0, 1, 2, 3, 4, 5, 6, double.NaN]], times => Assert.Equal(DiagnosticCodes.ImageShapeNotSupported, Assert.Throws<MASQuantException>(() => Take(eight with { FrameTimes = times })).Code));

        VideoPart Take(VideoPart video) => Assert.IsType<VideoPart>(Assert.Single(Assert.Single(VideoFrames.Take([new ChatMessage(ChatRole.User, [video])], config, new ImageBudget())).Content));

        IEnumerable<string> Texts(VideoPart video) => config.Family.Write(video, config).Select(segment => segment.Text).OfType<string>();
    }

    [Fact]
    public void Limits_below_a_frame_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Prompt().Frames(max: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Prompt().Frames(maxPerSecond: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ModelOptions { MaxFramesPerSecond = double.NaN });
        Assert.Throws<ArgumentOutOfRangeException>(() => new VideoPart([], 2) { MaxFramesPerSecond = double.PositiveInfinity });
    }

    // Temporal positions of the video's rows, from the first.
    private static int[] Rows(LoadedModel model, Prompt prompt)
    {
        var prepared = model.Prepare(prompt);
        int[] times = [.. Enumerable.Range(0, prepared.InputIds.Length).Where(t => prepared.Modalities[t] == Modality.Vision).Select(t => prepared.PositionIds.Time[t])];
        return [.. times.Distinct().Select(time => time - times[0])];
    }
}
