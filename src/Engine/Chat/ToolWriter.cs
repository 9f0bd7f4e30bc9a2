using System.Text.Encodings.Web;
using System.Text.Json;
using MASQuant.Engine.Text;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Chat;

/// <summary>Writes functions, calls and results as a family's <see cref="ToolFormat"/> says. Its marks are tokens where the tokenizer has them; the text of others between them stays text.</summary>
internal sealed class ToolWriter(ChatFormat chat, Tokenizer tokenizer)
{
    private readonly IReadOnlyList<string> _marks = chat.Marks;

    private ToolFormat Format => chat.Tools ?? throw new NotSupportedException("The family has no format for functions and their calls.");

    /// <summary>Text of whoever writes instructions or answers: marks spelled out in it are tokens, as a template would make them.</summary>
    public IEnumerable<TextSegment> Spoken(string text)
    {
        var start = 0;
        foreach (var (at, mark) in MarksOf(text))
        {
            if (tokenizer.TryGetAddedToken(mark, out var id))
            {
                yield return TextSegment.Plain(text[start..at]);
                yield return TextSegment.Token(id);
                start = at + mark.Length;
            }
        }

        yield return TextSegment.Plain(text[start..]);
    }

    /// <summary>The functions, behind a system message's text if it has any.</summary>
    public IEnumerable<TextSegment> Signatures(ToolsPart tools, bool followsText) =>
    [
        .. Spoken((followsText ? "\n\n" : "") + Format.Head),
        TextSegment.Plain(string.Concat(tools.Signatures.Select(signature => "\n" + signature))),
        .. Spoken(Format.Tail),
    ];

    /// <summary>A call, behind an answer's text or another call if there is any.</summary>
    public IEnumerable<TextSegment> Call(ToolCallPart call, bool followsText, bool followsCall) =>
    [
        .. Spoken((followsCall ? "\n" : followsText ? Format.BeforeFirstCall : "") + Format.CallStart),
        TextSegment.Plain($"\n{(Format.Style == ToolCallStyle.Tags ? TaggedCall.Of(call) : $"{{\"name\": \"{JsonEncodedText.Encode(call.Name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\", \"arguments\": {call.Arguments}}}")}\n"),
        .. Spoken(Format.CallEnd),
    ];

    /// <summary>A result, behind another if there is any.</summary>
    public IEnumerable<TextSegment> Result(ToolResultPart result, bool follows) =>
    [
        .. Spoken((follows ? "\n" : "") + Format.ResultStart),
        TextSegment.Plain($"\n{result.Text}\n"),
        .. Spoken(Format.ResultEnd),
    ];

    private IEnumerable<(int At, string Mark)> MarksOf(string text)
    {
        for (var at = text.IndexOf('<', StringComparison.Ordinal); at >= 0; at = text.IndexOf('<', at + 1))
        {
            if (_marks.FirstOrDefault(mark => text.AsSpan(at).StartsWith(mark, StringComparison.Ordinal)) is { } mark)
            {
                yield return (at, mark);
            }
        }
    }
}
