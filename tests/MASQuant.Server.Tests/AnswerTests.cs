using System.Text.Json;
using MASQuant.Tests;
using Microsoft.Extensions.AI;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Server.Tests;

/// <summary>What the official client gets is what the model answers.</summary>
public class AnswerTests(OmniServer omni) : IClassFixture<OmniServer>
{
    private readonly Served _served = omni.Served;

    [Fact]
    public async Task A_whole_answer_is_the_models()
    {
        var expected = _served.Model.GeneratePieces(new Prompt().Text("Quote a verse.")).ToArray();
        var response = await _served.Chat().GetResponseAsync("Quote a verse.");
        Assert.Equal(string.Concat(expected.Select(piece => piece.Text)), response.Text);
        Assert.Equal(("OmniTiny", ChatFinishReason.Stop), (response.ModelId, response.FinishReason));
        var usage = expected[^1].Usage!.Value;
        Assert.Equal((usage.PromptTokens, usage.GeneratedTokens, usage.PromptTokens + usage.GeneratedTokens), (response.Usage!.InputTokenCount, response.Usage.OutputTokenCount, response.Usage.TotalTokenCount));
        Assert.StartsWith("chatcmpl-", response.ResponseId, StringComparison.Ordinal);
        Assert.InRange(response.CreatedAt!.Value, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddSeconds(1));
    }

    [Fact]
    public async Task Pieces_stream_as_the_model_makes_them()
    {
        var expected = _served.Model.GeneratePieces(new Prompt().Text("Quote a verse.")).ToArray();
        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in _served.Chat().GetStreamingResponseAsync("Quote a verse."))
        {
            updates.Add(update);
        }

        Assert.True(expected.Length > 2);
        Assert.Equal(expected.Select(piece => piece.Text).Where(text => text.Length > 0), updates.Select(update => update.Text).Where(text => text.Length > 0));
        Assert.Equal(ChatFinishReason.Stop, Assert.Single(updates.Select(update => update.FinishReason).OfType<ChatFinishReason>().Distinct()));
        Assert.Equal(expected[^1].Usage!.Value.GeneratedTokens, Assert.Single(updates.SelectMany(update => update.Contents).OfType<UsageContent>()).Details.OutputTokenCount);
        Assert.Single(updates.Select(update => update.ResponseId).Distinct());
    }

    [Theory]
    [InlineData(false, new[] { "", "data: [DONE]" }, 0)]
    [InlineData(true, new[] { "", "data: [DONE]" }, 1)]
    public async Task A_stream_ends_as_OpenAIs_does(bool usage, string[] end, int usages)
    {
        using var response = await _served.Post(Served.ShortAnswer.Replace("\"max_tokens\"", $"\"stream\": true, \"stream_options\": {{\"include_usage\": {(usage ? "true" : "false")}}}, \"max_tokens\"", StringComparison.Ordinal));
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        var lines = (await response.Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n');
        Assert.Equal(end, lines[^2..]);
        var pieces = lines[..^1].Where(line => line.Length > 0).Select(line => JsonDocument.Parse(line["data: ".Length..]).RootElement).ToArray();
        Assert.All(pieces, piece => Assert.Equal("chat.completion.chunk", piece.GetProperty("object").GetString()));
        Assert.Equal("assistant", pieces[0].GetProperty("choices")[0].GetProperty("delta").GetProperty("role").GetString());
        var counted = pieces.Where(piece => piece.TryGetProperty("usage", out _)).ToArray();
        Assert.Equal(usages, counted.Length);
        Assert.All(counted, piece => Assert.Equal(0, piece.GetProperty("choices").GetArrayLength()));
        Assert.Equal("length", pieces[pieces.Length - 1 - usages].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
    }

    [Theory]
    [InlineData("omni/audio", "audio/wav", "Transcribe the speech.")]
    [InlineData("omni/image", "image/png", "Read the digits.")]
    public async Task Media_are_answered_as_by_the_reference(string name, string type, string question)
    {
        var golden = Golden.Load(name);
        var response = await _served.Chat().GetResponseAsync([new Ai.ChatMessage(Ai.ChatRole.User, [new DataContent(File.ReadAllBytes(golden.Files[0]), type), new TextContent(question)])]);
        Assert.Equal(golden.GreedyText, response.Text + "<|im_end|>");
    }

    [Theory]
    [InlineData("system")]
    [InlineData("developer")]
    public async Task Turns_become_turns_of_the_prompt(string role)
    {
        var prompt = new Prompt().System("Be brief.").Text("Quote a verse.").Assistant("In the beginning.").Text("Quote another.");
        using var response = await _served.Post($$"""
            {"model": "OmniTiny", "user": "somebody", "n": 1, "messages": [{"role": "{{role}}", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "Quote a "}, {"type": "text", "text": "verse."}]},
             {"role": "assistant", "content": "In the beginning.", "refusal": null}, {"role": "user", "name": "me", "content": "Quote another."}]}
            """);
        using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        var expected = _served.Model.GeneratePieces(prompt).ToArray();
        Assert.Equal(string.Concat(expected.Select(piece => piece.Text)), answer.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
        Assert.Equal(expected[^1].Usage!.Value.PromptTokens, answer.RootElement.GetProperty("usage").GetProperty("prompt_tokens").GetInt32()); // answers alone may be alike
    }

    [Fact]
    public async Task Options_choose_tokens_as_the_models_do()
    {
        var own = new GenerationOptions { Temperature = 1.5, TopP = 0.9, Seed = 7, MaxTokens = 24, PresencePenalty = 0.5, FrequencyPenalty = 0.25 };
        var stop = string.Concat(_served.Model.Generate(new Prompt().Text("Quote a verse."), own))[^4..];

        // With and without each of them.
        foreach (var without in (GenerationOptions[])[own, own with { TopP = 1 }, own with { Seed = 0 }, own with { MaxTokens = 5 }, own with { PresencePenalty = 0 }, own with { FrequencyPenalty = 0 }, own with { StopStrings = [stop] }])
        {
            var request = new ChatOptions
            {
                Temperature = 1.5f,
                TopP = (float)without.TopP,
                Seed = (long)without.Seed,
                MaxOutputTokens = without.MaxTokens,
                PresencePenalty = (float)without.PresencePenalty,
                FrequencyPenalty = (float)without.FrequencyPenalty,
                StopSequences = [.. without.StopStrings],
            };
            Assert.Equal(string.Concat(_served.Model.Generate(new Prompt().Text("Quote a verse."), without)), (await _served.Chat().GetResponseAsync("Quote a verse.", request)).Text);
        }
    }

    [Fact]
    public async Task An_answer_keeps_to_a_schema()
    {
        const string Schema = """{"type": "object", "properties": {"kind": {"enum": ["odd", "even"]}, "sure": {"type": "boolean"}}, "required": ["kind", "sure"], "additionalProperties": false}""";
        using var schema = JsonDocument.Parse(Schema);
        var options = new ChatOptions { ResponseFormat = ChatResponseFormat.ForJsonSchema(schema.RootElement, "digits"), MaxOutputTokens = 400 };
        var response = await _served.Chat().GetResponseAsync("Which digits?", options);
        using var answer = JsonDocument.Parse(response.Text);
        Assert.Contains(answer.RootElement.GetProperty("kind").GetString(), (string[])["odd", "even"]);
        Assert.Contains(answer.RootElement.GetProperty("sure").ValueKind, (JsonValueKind[])[JsonValueKind.True, JsonValueKind.False]);
        Assert.Equal(string.Concat(_served.Model.Generate(new Prompt().Text("Which digits?"), new GenerationOptions { Format = AnswerFormat.JsonSchema(Schema), MaxTokens = 400 })), response.Text);
    }

    [Fact]
    public async Task A_second_turn_says_what_was_evaluated_before()
    {
        var question = new string('a', 600);
        var first = await _served.Chat().GetResponseAsync(question);
        var second = await _served.Chat().GetResponseAsync([new(Ai.ChatRole.User, question), new(Ai.ChatRole.Assistant, first.Text), new(Ai.ChatRole.User, "Go on.")]);
        Assert.InRange(second.Usage!.CachedInputTokenCount!.Value, 1, second.Usage.InputTokenCount!.Value - 1);
    }

    [Fact]
    public async Task The_model_is_listed()
    {
        var models = _served.OpenAI().GetOpenAIModelClient();
        var listed = Assert.Single((await models.GetModelsAsync()).Value);
        Assert.Equal(("OmniTiny", "masquant"), (listed.Id, listed.OwnedBy));
        Assert.Equal("OmniTiny", (await models.GetModelAsync("OmniTiny")).Value.Id);
        var missing = await Assert.ThrowsAsync<System.ClientModel.ClientResultException>(() => models.GetModelAsync("Other"));
        Assert.Equal(404, missing.Status);
    }
}
