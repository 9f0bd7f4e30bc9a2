using System.Text.Json;
using Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI.Tests;

/// <summary>Calls in an answer's text, however it is cut into pieces.</summary>
public class ToolCallReaderTests
{
    private const string Call = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": [1, \"<b>\"]}}\n</tool_call>";

    [Theory]
    [InlineData("Plain text <b>, a < b, <tool, \n<tool_calls>\n", "Plain text <b>, a < b, <tool, \n<tool_calls>\n", 0)]
    [InlineData(Call, "", 1)]
    [InlineData("Let me see.\n" + Call, "Let me see.", 1)]
    [InlineData("Two\n\n" + Call + "\n" + Call + "\n", "Two\n", 2)]
    [InlineData(Call + " and more", " and more", 1)]
    [InlineData("<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>", "", 1)]
    [InlineData("<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n", "", 1)] // whole but for its end
    [InlineData("<tool_call>\n{\"name\": \"f\", \"argu", "<tool_call>\n{\"name\": \"f\", \"argu", 0)]
    [InlineData("<tool_call>\n{\"name\": \"f\"}\n</tool_call>", "<tool_call>\n{\"name\": \"f\"}\n</tool_call>", 0)]
    [InlineData("<tool_call>\n{\"name\": 1, \"arguments\": {}}\n</tool_call>.", "<tool_call>\n{\"name\": 1, \"arguments\": {}}\n</tool_call>.", 0)]
    [InlineData("Odd:\n<tool_call>?</tool_call>\n" + Call, "Odd:\n<tool_call>?</tool_call>", 1)]
    [InlineData("<tool_call>\n[]\n</tool_call>", "<tool_call>\n[]\n</tool_call>", 0)]
    [InlineData("<tool_call>\n{\"name\": \"\\ud800\", \"arguments\": {}}\n</tool_call>", "<tool_call>\n{\"name\": \"\\ud800\", \"arguments\": {}}\n</tool_call>", 0)]
    [InlineData("<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"\\udfff\"}}\n</tool_call>", "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"\\udfff\"}}\n</tool_call>", 0)]
    [InlineData("<tool_call></tool_call>" + Call, "<tool_call></tool_call>", 1)]
    [InlineData("<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>", "", 1)]
    [InlineData("See.\n\n<tool_call><function=f></function></tool_call>\n<tool_call>\n<function=g>\n</function>\n</tool_call>", "See.\n", 2)]
    [InlineData("<tool_call>\n<function=f>\n<parameter=a>\n1\n</function>\n</tool_call>", "<tool_call>\n<function=f>\n<parameter=a>\n1\n</function>\n</tool_call>", 0)]
    [InlineData("<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n</tool_call>", "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n</tool_call>", 0)]
    [InlineData("<tool_call>\n<function=></function>\n</tool_call>", "<tool_call>\n<function=></function>\n</tool_call>", 0)]
    [InlineData("<tool_call>\n<function=f>more</function>\n</tool_call>", "<tool_call>\n<function=f>more</function>\n</tool_call>", 0)]
    [InlineData("<tool_call>\n<function=f", "<tool_call>\n<function=f", 0)]
    [InlineData("<tool_call", "<tool_call", 0)]
    [InlineData("", "", 0)]
    public void Calls_are_found_and_what_is_none_stays_text(string answer, string text, int calls)
    {
        for (var length = 1; length <= Math.Max(1, answer.Length); length++)
        {
            var reader = new ToolCallReader("id");
            AIContent[] contents = [.. answer.Chunk(length).SelectMany(piece => reader.Append(new string(piece))), .. reader.Flush()];
            Assert.Equal(text, string.Concat(contents.OfType<TextContent>().Select(content => content.Text)));
            Assert.Equal((calls, calls), (reader.Calls, contents.OfType<FunctionCallContent>().Count()));
            Assert.DoesNotContain(contents, content => content is TextContent { Text: "" });
        }
    }

    [Fact]
    public void A_call_has_its_name_arguments_and_an_id_of_its_own()
    {
        var reader = new ToolCallReader("id");
        FunctionCallContent[] calls = [.. reader.Append(Call + Call).Cast<FunctionCallContent>()];
        Assert.Equal(["id-1", "id-2"], calls.Select(call => call.CallId));
        Assert.All(calls, call => Assert.Equal("f", call.Name));
        Assert.All(calls, call => Assert.Equal("[1, \"<b>\"]", Assert.IsType<JsonElement>(Assert.Single(call.Arguments!).Value).GetRawText()));
    }

    // A schema says what a value's text is; without one it is text, but for lists and objects.
    [Theory]
    [InlineData("{\"type\": \"string\"}", "1", "\"1\"")]
    [InlineData("{\"type\": \"string\"}", " 001 & <tag>\n\nb ", "\" 001 & <tag>\\n\\nb \"")]
    [InlineData("{\"type\": \"string\"}", "</parameter>, \"quoted\"", "\"</parameter>, \\\"quoted\\\"\"")]
    [InlineData("{\"type\": \"string\"}", "", "\"\"")]
    [InlineData("{\"type\": \"string\"}", "null", "\"null\"")]
    [InlineData("{\"type\": [\"string\", \"null\"]}", "None", "null")]
    [InlineData("{\"type\": \"integer\"}", "-3", "-3")]
    [InlineData("{\"type\": \"number\"}", "2.5", "2.5")]
    [InlineData("{\"type\": \"number\"}", "many", "\"many\"")]
    [InlineData("{\"type\": \"boolean\"}", "True", "true")]
    [InlineData("{\"type\": \"boolean\"}", "false", "false")]
    [InlineData("{\"type\": \"array\"}", "[1, \"é\"]", "[1, \"é\"]")]
    [InlineData("{\"type\": \"object\"}", "{\"a\": \"\\ud800\"}", "\"{\\\"a\\\": \\\"\\\\ud800\\\"}\"")]
    [InlineData("{\"enum\": [\"C\", \"F\"]}", "C", "\"C\"")]
    [InlineData("{}", "1", "\"1\"")]
    [InlineData("{}", "{\"a\": 1}", "{\"a\": 1}")]
    [InlineData("{\"type\": 1}", "1", "\"1\"")]
    public void A_value_between_tags_is_what_its_schema_says(string schema, string text, string json)
    {
        var tool = AIFunctionFactory.CreateDeclaration("f", null, JsonDocument.Parse($"{{\"type\": \"object\", \"properties\": {{\"a\": {schema}}}}}").RootElement);
        var call = Assert.IsType<FunctionCallContent>(Assert.Single(new ToolCallReader("id", [tool]).Append($"<tool_call>\n<function=f>\n<parameter=a>\n{text}\n</parameter>\n</function>\n</tool_call>")));
        Assert.Equal(("f", "id-1"), (call.Name, call.CallId));
        Assert.Equal(json, TemplateJson.Of(Assert.IsType<JsonElement>(Assert.Single(call.Arguments!).Value)));
    }

    [Fact]
    public void Text_comes_as_soon_as_it_cannot_begin_a_call()
    {
        var reader = new ToolCallReader("id");
        Assert.Equal("One", Assert.IsType<TextContent>(Assert.Single(reader.Append("One"))).Text);
        Assert.Empty(reader.Append("\n<tool"));
        Assert.Equal("\n<toolbox", Assert.IsType<TextContent>(Assert.Single(reader.Append("box"))).Text);
    }
}
