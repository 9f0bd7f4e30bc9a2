using MASQuant.Diagnostics;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Serving;

/// <summary>Turns of a conversation, counted: what was evaluated for one serves the next, and changes none.</summary>
public sealed class ConversationTests : IDisposable
{
    private static readonly GenerationOptions Short = new() { MaxTokens = 6 };
    private static readonly string Image = Golden.Load("omni/image").Files[0];
    private readonly ServedFixture _served = new();
    private readonly TemporaryDirectory _folder = new();

    public void Dispose()
    {
        _served.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Five_turns_over_a_picture_encode_it_once_and_evaluate_what_is_new()
    {
        string[] questions = ["Read the digits.", "Quote a verse.", "Say one.", "Read them again.", "?"];
        var (answers, before) = (new List<string>(), 0);
        for (var turn = 0; turn < questions.Length; turn++)
        {
            var (answer, usage) = await _served.Ask(Turn(turn), Short);
            var ids = _served.Model.Encoder.Plan(Turn(turn).Messages).Ids;
            Assert.Equal(ids.Length, usage.PromptTokens);

            // All of the turn before is there, but the answer's last token, which was never evaluated; where text splits otherwise than it was generated, that and what follows.
            var same = turn == 0 ? 0 : Math.Min(ids.AsSpan().CommonPrefixLength(Evaluated(turn - 1)), ids.Length - 1);
            Assert.Equal(same, usage.CachedTokens);
            Assert.True(turn == 0 || same >= before, $"{same} of {before}");
            Assert.Equal(1, _served.Execution.Seen);
            before = usage.PromptTokens;
            answers.Add(answer);
        }

        for (var turn = 0; turn < questions.Length; turn++)
        {
            Assert.Equal(_served.Alone(Turn(turn), Short), answers[turn]);
        }

        Prompt Turn(int turn)
        {
            var prompt = new Prompt().Image(Image);
            for (var i = 0; i < turn; i++)
            {
                prompt.Text(questions[i]).Assistant(answers[i]);
            }

            return prompt.Text(questions[turn]);
        }

        int[] Evaluated(int turn)
        {
            var prepared = _served.Model.Encoder.Plan(Turn(turn).Messages);
            using var fresh = new ServedFixture(new ModelOptions { PrefixCacheBytes = 0 });
            var tokens = fresh.Model.GenerateTokens(fresh.Model.Prepare(Turn(turn)), Short).ToArray();
            return [.. prepared.Ids, .. tokens[..^1]];
        }
    }

    [Fact]
    public async Task Sessions_share_their_system_message_and_pictures()
    {
        var first = await _served.Ask(Question("Read the digits."), Short);
        var second = await _served.Ask(Question("Quote a verse."), Short);

        Assert.Equal(0, first.Usage.CachedTokens);
        Assert.InRange(second.Usage.CachedTokens, second.Usage.PromptTokens / 2, second.Usage.PromptTokens - 1);
        Assert.Equal(1, _served.Execution.Seen);
        Assert.Equal(_served.Alone(Question("Quote a verse."), Short), second.Text);

        static Prompt Question(string text) => new Prompt().System("You read digits.").Image(Image).Text(text);
    }

    // The pictures have as many tokens, and the same ids stand for them.
    [Fact]
    public async Task Another_picture_of_the_same_size_is_another_prompt()
    {
        var picture = _folder.File("picture.png");
        File.Copy(RepositoryFiles.Data("media/calib-match-000.png"), picture);
        var first = await _served.Ask(new Prompt().Image(picture).Text("Read the digits."), Short);
        File.Copy(RepositoryFiles.Data("media/calib-match-003.png"), picture, overwrite: true);
        var second = await _served.Ask(new Prompt().Image(picture).Text("Read the digits."), Short);

        Assert.Equal(first.Usage.PromptTokens, second.Usage.PromptTokens);
        Assert.Equal(2, _served.Execution.Seen);
        Assert.Equal(_served.Alone(new Prompt().Image(picture).Text("Read the digits."), Short), second.Text);
        var before = _served.Model.Encoder.Plan(new Prompt().Image(picture).Text("Read the digits.").Messages);
        Assert.Equal(Array.IndexOf(before.Ids, _served.Model.Config.ImageTokenId), second.Usage.CachedTokens);
    }

    [Fact]
    public async Task Nothing_is_kept_where_nothing_may_be()
    {
        using var served = new ServedFixture(new ModelOptions { PrefixCacheBytes = 0 });
        var first = await served.Ask(new Prompt().Text("Quote a verse."), Short);
        var second = await served.Ask(new Prompt().Text("Quote a verse."), Short);

        Assert.Equal(first, second);
        Assert.Equal(0, second.Usage.CachedTokens);
    }

    [Fact]
    public async Task A_video_and_sound_are_kept_as_pictures_are()
    {
        var (frames, sound) = (Golden.Load("omni/video").Files, Golden.Load("omni/audio").Files[0]);
        var first = await _served.Ask(Question("Read the digits."), Short);
        var second = await _served.Ask(Question("Quote a verse."), Short);

        Assert.Equal(1, _served.Execution.Seen);
        Assert.InRange(second.Usage.CachedTokens, first.Usage.PromptTokens / 2, second.Usage.PromptTokens - 1);
        Assert.Equal(_served.Alone(Question("Quote a verse."), Short), second.Text);

        Prompt Question(string text) => new Prompt().Video(frames, 2, sound).Audio(sound).Text(text);
    }

    // Frames are read twice, to know the video and to decode it; what is kept must be what was known.
    [Fact]
    public void A_frame_that_changes_meanwhile_is_refused()
    {
        string[] frames = [.. Golden.Load("omni/video").Files.Select((file, i) => _folder.File($"{i}.png"))];
        foreach (var (file, i) in Golden.Load("omni/video").Files.Select((file, i) => (file, i)))
        {
            File.Copy(file, frames[i]);
        }

        var plan = _served.Model.Encoder.Plan(new Prompt().Video(frames).Text("Read the digits.").Messages);
        plan.Identify(new ModelLimits());
        File.Copy(frames[0], frames[^1], overwrite: true);

        var error = Assert.Throws<MASQuantException>(() => _served.Model.Encoder.Prepare(plan, 0));
        Assert.Equal((DiagnosticCodes.InputChanged, frames[^1]), (error.Code, error.File));
    }
}
