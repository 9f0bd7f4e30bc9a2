using MASQuant.Diagnostics;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Chat;

public class PromptTests
{
    [Fact]
    public void Pieces_keep_their_order()
    {
        using var stream = new MemoryStream([4, 5]);
        var messages = new Prompt().System("s").Image("a.png").Text("t").Audio(new byte[] { 1, 2 }).Image(stream).Video(["f0.png", "f1.png"], 4).Messages;
        Assert.Equal([ChatRole.System, ChatRole.User], messages.Select(m => m.Role));
        Assert.Collection(
            messages[1].Content,
            part => Assert.Equal("a.png", Assert.IsType<ImagePart>(part).Source.Path),
            part => Assert.Equal("t", Assert.IsType<TextPart>(part).Text),
            part => Assert.Equal([1, 2], Assert.IsType<AudioPart>(part).Source.Read().ToArray()),
            part => Assert.Equal(("image 3", 5), (Assert.IsType<ImagePart>(part).Source.Name, ((ImagePart)part).Source.Read().Span[1])),
            part => Assert.Equal((2, 4.0), (Assert.IsType<VideoPart>(part).Frames.Count, ((VideoPart)part).FramesPerSecond)));
    }

    [Fact]
    public void Turns_alternate_by_themselves()
    {
        var messages = new Prompt().Text("a").Text("b").Assistant("c").Image("d.png").User().Text("e").Messages;
        Assert.Equal([ChatRole.User, ChatRole.Assistant, ChatRole.User, ChatRole.User], messages.Select(m => m.Role));
        Assert.Equal([2, 1, 1, 1], messages.Select(m => m.Content.Count));
    }

    [Fact]
    public void Functions_come_with_the_instructions_and_results_in_turns_of_their_own()
    {
        var messages = new Prompt().System("s").Tools(["{}"]).Text("a").Assistant("b").ToolCall("f", "{}").ToolCall("g", "{}").ToolResult("1").ToolResult("2").Text("c").ToolResult("3").ToolCall("h", "{}").Messages;
        Assert.Equal([ChatRole.System, ChatRole.User, ChatRole.Assistant, ChatRole.User, ChatRole.User, ChatRole.User, ChatRole.Assistant], messages.Select(m => m.Role));
        Assert.Equal([2, 1, 3, 2, 1, 1, 1], messages.Select(m => m.Content.Count));
        Assert.Equal(ChatRole.System, Assert.Single(new Prompt().Tools([]).Messages).Role);
        Assert.Throws<InvalidOperationException>(() => new Prompt().Text("a").Tools([]));
    }

    [Fact]
    public void Messages_are_a_copy()
    {
        var prompt = new Prompt().Text("a");
        var before = prompt.Messages;
        prompt.Text("b").Assistant("c");
        Assert.Single(Assert.Single(before).Content);
    }

    [Fact]
    public void The_system_message_comes_first_and_once()
    {
        Assert.Throws<InvalidOperationException>(() => new Prompt().Text("a").System("b"));
        Assert.Throws<InvalidOperationException>(() => new Prompt().System("a").System("b"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_video_needs_a_frame_rate(double framesPerSecond)
        => Assert.Throws<ArgumentOutOfRangeException>(() => new Prompt().Video(["f.png"], framesPerSecond));

    [Fact]
    public void A_video_needs_a_frame() => Assert.Throws<ArgumentException>(() => new Prompt().Video([]));

    [Fact]
    public void A_missing_file_is_reported_when_it_is_read()
    {
        using var folder = new TemporaryDirectory();
        var source = MediaSource.File(folder.File("absent.png"));
        var error = Assert.Throws<MASQuantException>(() => source.Read());
        Assert.Equal((DiagnosticCodes.FileNotReadable, source.Path), (error.Code, error.File));
    }

    // Parts are a stranger's, who may give as many as a request holds: where each looked at all before it, this took minutes.
    [Fact]
    public void Parts_without_number_are_added()
    {
        var prompt = new Prompt();
        for (var i = 0; i < 1_000_000; i++)
        {
            prompt.Text("");
        }

        Assert.Equal(1_000_000, Assert.Single(prompt.Messages).Content.Count);
    }
}
