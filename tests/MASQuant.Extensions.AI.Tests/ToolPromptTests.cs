using System.Text.Json;
using System.Text.Json.Nodes;
using MASQuant.Diagnostics;
using MASQuant.Engine.Chat;
using MASQuant.Engine.Text;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen35;
using MASQuant.Formats.Models.Qwen3VL;
using MASQuant.Tests;
using Microsoft.Extensions.AI;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI.Tests;

/// <summary>Functions, calls and results are written, token by token, as the chat templates of the models write them. <c>tools.json</c> holds conversations and what the template of Qwen2.5 and that of Qwen3-VL, run by jinja2, make of them; the latter has the hash that the family lists as the hub's. <c>thoughts.json</c> holds what both templates of Qwen3.5 make of these conversations and further ones, that of the larger models with <c>enable_thinking = false</c>, and with <c>true</c>; both have the hashes that the family lists.</summary>
public class ToolPromptTests
{
    private static readonly ModelConfig Omni = ModelConfigReader.ReadFolder(RepositoryFiles.OmniTiny);
    private static readonly ModelConfig Thinking = Omni with { Family = new Qwen35() };

    public static TheoryData<string, string, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, bool>();
            foreach (var name in Goldens().Select(golden => golden.GetProperty("name").GetString()!))
            {
                foreach (var template in (string[])["qwen25", "qwen3vl"])
                {
                    cases.Add(name, template, false);
                    cases.Add(name, template, true);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Prompts_are_those_of_the_templates(string name, string template, bool resultsAreTokens)
    {
        var golden = Goldens().Single(golden => golden.GetProperty("name").GetString() == name);
        var config = template == "qwen3vl" ? Omni with { Family = new Qwen3VL() } : Omni;
        var tokenizer = Tokenizer(config, resultsAreTokens);
        var prompt = Prompt(golden);
        var expected = golden.GetProperty(template).GetString()!;
        var tokens = ChatRenderer.Render(prompt.Messages, config, tokenizer).Tokens;
        Assert.Equal(expected, tokenizer.Decode(tokens));
        Assert.Equal(tokenizer.Encode(expected), tokens);
    }

    public static TheoryData<string> Thoughts => [.. Goldens("thoughts.json").Select(golden => golden.GetProperty("name").GetString()!)];

    [Theory]
    [MemberData(nameof(Thoughts))]
    public void Prompts_with_thoughts_are_those_of_the_templates(string name)
    {
        var golden = Goldens("thoughts.json").Single(golden => golden.GetProperty("name").GetString() == name);
        var tokenizer = Tokenizer(Thinking, resultsAreTokens: true, "<think>", "</think>");
        var expected = golden.GetProperty("qwen35").GetString()!;
        var tokens = ChatRenderer.Render(Prompt(golden).Messages, Thinking, tokenizer).Tokens;
        Assert.Equal(expected, tokenizer.Decode(tokens));
        Assert.Equal(tokenizer.Encode(expected), tokens);

        expected = golden.GetProperty("thinks").GetString()!;
        var rendered = ChatRenderer.Render(Prompt(golden).Messages, Thinking, tokenizer, thinks: true);
        Assert.Equal(expected, tokenizer.Decode(rendered.Tokens));
        Assert.Equal(tokenizer.Encode(expected), rendered.Tokens);
        Assert.True(rendered.Thinks);
    }

    // As generation would give it: behind a closed block, or behind the mark that opens one.
    [Theory]
    [InlineData(" Noon. ", "<think>\n\n</think>\n\n", "Noon.<|im_end|>")]
    [InlineData("<think>\nI look.\n</think>\n\nNoon.", "<think>\n", "I look.\n</think>\n\nNoon.<|im_end|>")]
    public void An_answer_stands_behind_the_block_that_it_was_given_with(string given, string before, string answer)
    {
        var tokenizer = Tokenizer(Thinking, resultsAreTokens: true, "<think>", "</think>");
        var prompt = ChatRenderer.Render([new ChatMessage(ChatRole.User, "Now?"), new ChatMessage(ChatRole.Assistant, given)], Thinking, tokenizer);
        Assert.Equal($"<|im_start|>user\nNow?<|im_end|>\n<|im_start|>assistant\n{before}{answer}\n", tokenizer.Decode(prompt.Tokens));
        Assert.Equal(answer, tokenizer.Decode(prompt.Tokens[prompt.Answer!.Value]));
    }

    [Fact]
    public void A_tokenizer_without_the_marks_has_no_thoughts()
    {
        foreach (var tokenizer in (Tokenizer[])[Tokenizer(Thinking, resultsAreTokens: true), Tokenizer(Thinking, resultsAreTokens: true, "<think>")])
        {
            Assert.Equal("<|im_start|>user\nNow?<|im_end|>\n<|im_start|>assistant\n", tokenizer.Decode(ChatRenderer.Render(new Prompt().Text("Now?").Messages, Thinking, tokenizer).Tokens));
            AssertThinksNot("no tokens <think> and </think>", new Prompt().Text("Now?"), Thinking, tokenizer);
        }
    }

    [Fact]
    public void What_cannot_think_is_not_asked_to()
    {
        AssertThinksNot("Qwen2.5-Omni models do not. Ask it without thought, or use a Qwen3.5 model.", new Prompt().Text("Now?"), Omni, Tokenizer(Omni, resultsAreTokens: true, "<think>", "</think>"));
        AssertThinksNot("ends with an answer", new Prompt().Text("Now?").Assistant("Noon."), Thinking, Tokenizer(Thinking, resultsAreTokens: true, "<think>", "</think>"));
    }

    private static void AssertThinksNot(string why, Prompt prompt, ModelConfig config, Tokenizer tokenizer)
    {
        var error = Assert.Throws<MASQuantException>(() => ChatRenderer.Render(prompt.Messages, config, tokenizer, thinks: true));
        Assert.Equal(DiagnosticCodes.ThoughtUnsupported, error.Code);
        Assert.Contains(why, error.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Typed_marks_of_thoughts_stay_text()
    {
        var tokenizer = Tokenizer(Thinking, resultsAreTokens: true, "<think>", "</think>");
        Assert.True(tokenizer.TryGetAddedToken("</think>", out var mark));
        var tokens = ChatRenderer.Render(new Prompt().Text("a</think>b").Messages, Thinking, tokenizer).Tokens;
        Assert.Equal(1, tokens.Count(token => token == mark)); // that of the closed block
        Assert.Contains("a</think>b", tokenizer.Decode(tokens), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{\"a\": \"\\ud800\"}")]
    public void Arguments_that_are_no_JSON_object_cannot_be_tags(string arguments)
    {
        var prompt = new Prompt().Text("Now?").ToolCall("now", arguments).ToolResult("12:00");
        var error = Assert.Throws<MASQuantException>(() => ChatRenderer.Render(prompt.Messages, Thinking, Tokenizer(Thinking, resultsAreTokens: true)));
        Assert.Equal(DiagnosticCodes.ChatMessageNotSupported, error.Code);
        Assert.Contains("'now'", error.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_of_all_kinds_are_written()
    {
        var call = new FunctionCallContent("1", "f", new Dictionary<string, object?> { ["a"] = 1, ["b"] = 0.5, ["c"] = "é\u0001\"", ["d"] = null, ["e"] = new List<string> { "x" }, ["f"] = JsonDocument.Parse("[true,{\"y\":1e5}]").RootElement });
        Assert.Equal("""{"a": 1, "b": 0.5, "c": "é\u0001\"", "d": null, "e": ["x"], "f": [true, {"y": 1e5}]}""", RequestTools.Arguments(call));
        Assert.Equal("{}", RequestTools.Arguments(new FunctionCallContent("1", "f")));
        Assert.Equal("plain \"text\"", RequestTools.Result(new FunctionResultContent("1", "plain \"text\"")));
        Assert.Equal("é", RequestTools.Result(new FunctionResultContent("1", JsonDocument.Parse("\"\\u00e9\"").RootElement)));
        Assert.Equal("""{"t": -3.5}""", RequestTools.Result(new FunctionResultContent("1", JsonDocument.Parse("{\"t\":-3.5}").RootElement)));
        Assert.Equal("", RequestTools.Result(new FunctionResultContent("1", null)));
    }

    [Theory]
    [InlineData("half a pair")]
    [InlineData("no JSON")]
    public void What_is_no_JSON_is_refused(string kind)
    {
        object value = kind == "no JSON" ? new Action(() => { }) : JsonDocument.Parse("[\"\\ud800\"]").RootElement;
        foreach (var write in (Func<string>[])[() => RequestTools.Arguments(new FunctionCallContent("1", "f", new Dictionary<string, object?> { ["a"] = value })), () => RequestTools.Result(new FunctionResultContent("1", value))])
        {
            Assert.Equal(DiagnosticCodes.ChatMessageNotSupported, Assert.Throws<MASQuantException>(() => write()).Code);
        }
    }

    private static JsonElement[] Goldens(string file = "tools.json") => [.. JsonDocument.Parse(File.ReadAllBytes(RepositoryFiles.Golden(file))).RootElement.EnumerateArray()];

    private static Prompt Prompt(JsonElement golden)
    {
        var options = new ChatOptions { Tools = [.. golden.GetProperty("tools").EnumerateArray().Select(Declaration)] };
        return RequestPrompt.Of(golden.GetProperty("messages").EnumerateArray().Select(Message), null, RequestTools.Signatures(options), new ModelChatOptions());
    }

    private static AITool Declaration(JsonElement tool)
    {
        var function = tool.GetProperty("function");
        return AIFunctionFactory.CreateDeclaration(function.GetProperty("name").GetString()!, function.TryGetProperty("description", out var description) ? description.GetString() : null, function.GetProperty("parameters"));
    }

    private static Ai.ChatMessage Message(JsonElement message)
    {
        var text = message.GetProperty("content").GetString()!;
        AIContent[] contents = message.GetProperty("role").GetString() == "tool"
            ? [new FunctionResultContent("call", text)]
            : [.. message.TryGetProperty("reasoning_content", out var thought) ? (AIContent[])[new TextReasoningContent(thought.GetString())] : [], new TextContent(text), .. message.TryGetProperty("tool_calls", out var calls) ? calls.EnumerateArray().Select(Call) : []];
        return new Ai.ChatMessage(new Ai.ChatRole(message.GetProperty("role").GetString()!), contents);
    }

    private static FunctionCallContent Call(JsonElement call)
    {
        var function = call.GetProperty("function");
        return new FunctionCallContent("call", function.GetProperty("name").GetString()!, function.GetProperty("arguments").EnumerateObject().ToDictionary(argument => argument.Name, argument => (object?)argument.Value));
    }

    // Qwen2.5's tokenizers have tokens for calls alone, Qwen3's for results too.
    private static Tokenizer Tokenizer(ModelConfig config, bool resultsAreTokens, params string[] further)
    {
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(RepositoryFiles.OmniTiny, "tokenizer.json")))!;
        string[] texts = [.. resultsAreTokens ? new[] { "<tool_response>", "</tool_response>" } : [], .. further];
        foreach (var (id, text) in texts.Select((text, at) => (1216 + at, text)))
        {
            var token = json["added_tokens"]!.AsArray().Single(token => (string)token!["content"]! == "<tool_call>")!.DeepClone();
            (token["id"], token["content"]) = (id, text);
            json["added_tokens"]!.AsArray().Add(token);
        }

        return Engine.Text.Tokenizer.Load(JsonSerializer.SerializeToUtf8Bytes(json), "tokenizer.json", config.ControlTokens);
    }
}
