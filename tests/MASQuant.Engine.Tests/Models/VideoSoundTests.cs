using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>Videos with their own sound: order, counts, refusals. <see cref="OmniVideoSoundTests"/> compares with the reference.</summary>
public sealed class VideoSoundTests(OmniFixture omni) : IClassFixture<OmniFixture>
{
    private static readonly string[] Frames = Golden.Load("omni/video").Files;
    private static readonly string Sound = Golden.Load("omni/audio").Files[0];

    // Rows of 4 tokens each 4 s, 100 positions, and chunks of 50. The reference's get_chunked_index begins one chunk at a token at most:
    // row 1 is late for two, so that its first token ends chunk 1 and its second chunk 2; row 2 likewise.
    [Fact]
    public void Rows_further_apart_than_chunks_are_cut_as_the_reference_cuts_them()
    {
        var config = TinyConfigs.Omni;
        var runs = config.Family.Interleave(config, MediaExtent.Video(config, 3, 4, 4, secondsPerFrame: 4), MediaExtent.Audio(config, 120));

        Assert.Equal(
            [(Modality.Vision, 0, 4), (Modality.Audio, 0, 50), (Modality.Vision, 4, 1), (Modality.Audio, 50, 50), (Modality.Vision, 5, 3), (Modality.Audio, 100, 20), (Modality.Vision, 8, 1), (Modality.Vision, 9, 3)],
            runs.Select(run => (run.Modality, run.Run!.Value.First, run.Tokens)));
        Assert.Equal([true, .. Enumerable.Repeat(false, 7)], runs.Select(run => run.HasPlaceholder));
    }

    [Fact]
    public void Text_behind_it_follows_the_last_run_and_answers_the_largest_position()
    {
        var config = TinyConfigs.Omni;
        var runs = config.Family.Interleave(config, MediaExtent.Video(config, 2, 4, 4, secondsPerFrame: 1), MediaExtent.Audio(config, 3));
        int[] ids = [config.VisionStartTokenId, config.AudioStartTokenId, .. Enumerable.Repeat(config.VideoTokenId, 8), .. Enumerable.Repeat(config.AudioTokenId, 3), config.AudioEndTokenId, config.VisionEndTokenId, 7];

        var positions = PositionIds.Of(ids, runs, config);

        Assert.Equal([0, 0, 1, 1, 1, 1, 26, 26, 26, 26, 1, 2, 3, 4, 4, 5], positions.Time.ToArray());
        Assert.Equal([0, 0, 1, 1, 2, 2, 1, 1, 2, 2, 1, 2, 3, 4, 4, 5], positions.Height.ToArray());
        Assert.Equal([0, 0, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 3, 4, 4, 5], positions.Width.ToArray());
        Assert.Equal(27, positions.Next);
    }

    [Fact]
    public void What_is_counted_is_what_is_encoded()
    {
        var prompt = new Prompt().Text("First ").Audio(Sound).Video(Frames, 2, Sound).Text(" then ").Image(Frames[0]).Text("?");
        var prepared = omni.Model.Prepare(prompt);
        using var source = Checkpoint.Open(RepositoryFiles.OmniTiny);

        Assert.Equal(Enum.GetValues<Modality>().Select(modality => (long)prepared.Modalities.CountOf(modality)), new PromptCounter(source, omni.Model.Config).Count(prompt.Messages));
    }

    // The clip within the video is the clip alone.
    [Fact]
    public void Sound_and_frames_are_those_of_their_towers()
    {
        var together = omni.Model.Prepare(new Prompt().Video(Frames, 2, Sound));
        Assert.Equal(Rows(omni.Model.Prepare(new Prompt().Video(Frames, 2)), Modality.Vision), Rows(together, Modality.Vision));
        Assert.Equal(Rows(omni.Model.Prepare(new Prompt().Audio(Sound)), Modality.Audio), Rows(together, Modality.Audio));
    }

    [Fact]
    public void A_family_that_does_not_hear_refuses_it()
    {
        using var model = LoadedModel.Load(RepositoryFiles.VlTiny);
        var error = Assert.Throws<MASQuantException>(() => model.Prepare(new Prompt().Video(Frames, 2, Sound)));
        Assert.Equal((DiagnosticCodes.UnsupportedModality, Sound), (error.Code, error.File));
        Assert.EndsWith("or use a Qwen2.5-Omni model.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_sound_is_named()
    {
        var error = Assert.Throws<MASQuantException>(() => omni.Model.Prepare(new Prompt().Video(Frames, 2, Frames[0])));
        Assert.Equal((DiagnosticCodes.AudioNotSupported, Frames[0]), (error.Code, error.File));
    }

    // Some 216 000 tokens each two frames; of 20 000 frames more than 2³¹. Other limits are lifted.
    [Theory]
    [InlineData(2)]
    [InlineData(20_000)]
    public void A_video_that_is_too_long_is_refused_by_its_length(int frames)
    {
        var limits = new ModelLimits { ImagePixels = 200_000_000, VideoFrames = int.MaxValue, MediumBytes = long.MaxValue, PromptTokens = int.MaxValue };
        using var model = LoadedModel.Load(RepositoryFiles.OmniTiny, new ModelOptions { Device = "cpu", Limits = limits });
        var error = Assert.Throws<MASQuantException>(() => model.Prepare(new Prompt().Pixels(min: 170_000_000, max: 170_000_000).Video(Enumerable.Repeat(Frames[0], frames), 2, Sound)));
        Assert.Equal((DiagnosticCodes.SequenceTooLong, Frames[0]), (error.Code, error.File));
    }

    // int(position_id_per_seconds * seconds_per_chunk)
    [Theory]
    [InlineData(2, new[] { 50, 10 })]
    [InlineData(1.5, new[] { 37, 23 })]
    [InlineData(0.99, new[] { 24, 24, 12 })]
    public void A_chunk_has_whole_positions(double seconds, int[] tokens)
    {
        var config = TinyConfigs.Omni with { SecondsPerChunk = seconds };
        var runs = config.Family.Interleave(config, MediaExtent.Video(config, 1, 2, 2, secondsPerFrame: 1), MediaExtent.Audio(config, 60));
        Assert.Equal(tokens, runs.Where(run => run.Modality == Modality.Audio).Select(run => run.Tokens));
    }

    [Fact]
    public void Runs_without_their_markers_are_refused()
    {
        var config = TinyConfigs.Omni;
        var runs = config.Family.Interleave(config, MediaExtent.Video(config, 1, 2, 2, secondsPerFrame: 1), MediaExtent.Audio(config, 1));
        Assert.Equal(DiagnosticCodes.PlaceholderMismatch, Assert.Throws<MASQuantException>(() => PositionIds.Of([1, config.VideoTokenId, config.AudioTokenId], runs, config)).Code);
    }

    private static float[][] Rows(PreparedPrompt prompt, Modality modality)
        => [.. Enumerable.Range(0, prompt.InputIds.Length).Where(t => prompt.Modalities[t] == modality).Select(t => prompt.InputEmbeddings.Row(t).ToArray())];
}
