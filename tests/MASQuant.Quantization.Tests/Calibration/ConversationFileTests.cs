using MASQuant.Diagnostics;
using MASQuant.Quantization.Calibration;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Calibration;

/// <summary>A line is a conversation, or refused with a code, the file and its number; other lines have nothing to do with it.</summary>
public sealed class ConversationFileTests : IDisposable
{
    private const string Good = """
        {"task": "ocr", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "image", "image": "a.png"}, {"type": "text", "text": "What?"}]}, {"role": "assistant", "content": "x"}]}
        """;

    private const string Video = """
        {"messages": [{"role": "user", "content": [{"type": "video", "video": ["a.png", "a.png"], "fps": 2}, {"type": "audio", "audio": "a.png"}]}, {"role": "assistant", "content": "x"}]}
        """;

    // Half a surrogate pair, another kind, nothing, a number beyond a double, NUL, a long name, a place outside.
    private static readonly string[] Values = ["\"\\ud83d\"", "\"\\udc00x\"", "[[1]]", "null", "1e999", "\"a\\u0000b.png\"", $"\"{new string('n', 5000)}\"", "\"/dev/null\"", "\"../a.png\"", "{}"];

    // A task's name and texts may be anything that is a text; another kind of task counts as none.
    private static readonly string[] Free = ["task", "messages.0.content", "messages.1.content", "messages.1.content.1.text", "messages.2.content"];

    private readonly TemporaryDirectory _folder = new();

    public ConversationFileTests() => File.WriteAllBytes(_folder.File("a.png"), []);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_line_without_end_is_refused_alone()
    {
        File.WriteAllText(_folder.File("c.jsonl"), $"{Good}{new string(' ', 1 << 24)}\n{Good}\n");
        var error = Assert.Throws<MASQuantException>(() => ConversationFile.Read(_folder.File("c.jsonl")));
        Assert.Equal((DiagnosticCodes.ConversationInvalid, 1), (error.Code, error.Line));
        Assert.Equal(2, Assert.Single(ConversationFile.ReadValid(_folder.File("c.jsonl"))).Line);
    }

    [Theory]
    [InlineData("fps", "1e-300")]
    [InlineData("fps", "1e300")]
    [InlineData("fps", "0")]
    [InlineData("fps", "-2")]
    [InlineData("fps", "\"2\"")]
    [InlineData("video", "[]")]
    [InlineData("video", "\"a.png\"")]
    [InlineData("video", "[[]]")]
    public void An_impossible_video_is_refused_with_its_line(string member, string value) => AssertRefused(JsonMembers.WithValue(Video, ["messages", "0", "content", "0", member], value));

    [Fact]
    public void Half_a_surrogate_pair_in_a_text_is_refused_with_its_line() => AssertRefused(Good.Replace("What?", "cut \\ud83d", StringComparison.Ordinal));

    [Fact]
    public void Every_member_is_read_or_refused_with_its_line()
    {
        var refused = 0;
        foreach (var (line, path) in ((string[])[Good, Video]).SelectMany(line => JsonMembers.Paths(line).Select(path => (line, path))))
        {
            foreach (var value in Values)
            {
                var error = Read(JsonMembers.WithValue(line, path, value));
                if (error is not null)
                {
                    AssertPlace(error);
                    refused++;
                }
                else
                {
                    Assert.Contains(string.Join('.', path), Free);
                }
            }
        }

        Assert.InRange(refused, 100, int.MaxValue);
    }

    private void AssertRefused(string line) => AssertPlace(Read(line));

    private void AssertPlace(Exception? thrown)
    {
        var error = Assert.IsType<MASQuantException>(thrown);
        Assert.Contains(error.Code, (string[])[DiagnosticCodes.ConversationInvalid, DiagnosticCodes.ConversationMediaMissing]);
        Assert.Equal((_folder.File("c.jsonl"), 3), (error.File, error.Line));
    }

    private Exception? Read(string line)
    {
        File.WriteAllLines(_folder.File("c.jsonl"), [Good, "", line, Good]);
        var error = Record.Exception(() => ConversationFile.Read(_folder.File("c.jsonl")));
        Assert.Equal(error is null ? 3 : 2, ConversationFile.ReadValid(_folder.File("c.jsonl")).Count());
        return error;
    }
}
