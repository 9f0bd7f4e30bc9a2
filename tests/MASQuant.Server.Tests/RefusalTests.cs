using System.Net;
using System.Text;

namespace MASQuant.Server.Tests;

/// <summary>What is not supported is refused by its name, in the shape of OpenAI's errors.</summary>
public class RefusalTests(OmniServer omni) : IClassFixture<OmniServer>
{
    private const string User = """{"role": "user", "content": "Hello."}""";

    private readonly Served _served = omni.Served;

    [Theory]
    [InlineData("\"n\": 2", "n")]
    [InlineData("\"logprobs\": true", "logprobs")]
    [InlineData("\"logit_bias\": {\"5\": 1}", "logit_bias")]
    [InlineData("\"reasoning_effort\": \"much\"", "reasoning_effort")]
    [InlineData("\"chat_template_kwargs\": {\"enable_thinking\": 1}", "chat_template_kwargs.enable_thinking")]
    [InlineData("\"chat_template_kwargs\": {\"add_vision_id\": true}", "chat_template_kwargs.add_vision_id")]
    [InlineData("\"chat_template_kwargs\": {\"enable_thinking\": false}, \"reasoning_effort\": \"high\"", "reasoning_effort")]
    [InlineData("\"reasoning_effort\": \"none\", \"chat_template_kwargs\": {\"enable_thinking\": true}", "chat_template_kwargs.enable_thinking")]
    [InlineData("\"parallel_tool_calls\": false", "parallel_tool_calls")]
    [InlineData("\"modalities\": [\"text\", \"audio\"]", "modalities")]
    [InlineData("\"temperature\": \"warm\"", "temperature")]
    [InlineData("\"seed\": 1.5", "seed")]
    [InlineData("\"max_tokens\": 99999999999", "max_tokens")]
    [InlineData("\"max_tokens\": 5, \"max_completion_tokens\": 5", "max_completion_tokens")]
    [InlineData("\"stop\": [1]", "stop[0]")]
    [InlineData("\"stream_options\": {\"include_obfuscation\": true}", "stream_options.include_obfuscation")]
    [InlineData("\"response_format\": {\"type\": \"xml\"}", "response_format.type")]
    [InlineData("\"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"x\"}}", "response_format.json_schema.schema")]
    [InlineData("\"tool_choice\": \"required\"", "tool_choice")]
    [InlineData("\"tool_choice\": {\"type\": \"function\", \"function\": {\"name\": \"f\"}}", "tool_choice")]
    [InlineData("\"tools\": [{\"type\": \"web_search\"}]", "tools[0].type")]
    [InlineData("\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"\"}}]", "tools[0].function.name")]
    [InlineData("\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"f\", \"strict\": true}}]", "tools[0].function.strict")]
    public async Task Parameters(string member, string parameter) => await Refused($$"""{"model": "OmniTiny", "messages": [{{User}}], {{member}}}""", 400, "MASQ0943", parameter);

    [Theory]
    [InlineData("""{"role": "critic", "content": "x"}""", "messages[1].role")]
    [InlineData("""{"role": "user"}""", "messages[1].content")]
    [InlineData("""{"role": "user", "content": 5}""", "messages[1].content")]
    [InlineData("""{"role": "user", "content": [{"type": "file", "file": {}}]}""", "messages[1].content[0].file")]
    [InlineData("""{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}""", "messages[1].content[0].type")]
    [InlineData("""{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/;base64,AAAA"}}]}""", "messages[1].content[0].image_url.url")]
    [InlineData("""{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/p ng;base64,AAAA"}}]}""", "messages[1].content[0].image_url.url")]
    [InlineData("""{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:text/plain;base64,AAAA"}}]}""", "messages[1].content[0].image_url.url")]
    [InlineData("""{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png,AAAA"}}]}""", "messages[1].content[0].image_url.url")]
    [InlineData("""{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,A"}}]}""", "messages[1].content[0].image_url.url")]
    [InlineData("""{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}]}""", "messages[1].content[0].image_url.detail")]
    [InlineData("""{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "flac"}}]}""", "messages[1].content[0].input_audio.format")]
    [InlineData("""{"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "[]"}}]}""", "messages[1].tool_calls[0].function.arguments")]
    [InlineData("""{"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1, \"a\": 2}"}}]}""", "messages[1].tool_calls[0].function.arguments")]
    [InlineData("""{"role": "tool", "content": "5"}""", "messages[1].tool_call_id")]
    [InlineData("""{"role": "assistant", "content": "x", "reasoning_content": 5}""", "messages[1].reasoning_content")]
    public async Task Messages(string message, string parameter) => await Refused($$"""{"model": "OmniTiny", "messages": [{{User}}, {{message}}]}""", 400, "MASQ0943", parameter);

    [Theory]
    [InlineData("", "body")]
    [InlineData("[]", "body")]
    [InlineData("{\"model\": \"OmniTiny\", \"model\": \"OmniTiny\"}", "body")]
    [InlineData("{\"model\": \"\\ud800\", \"messages\": []}", "body")]
    [InlineData("{\"messages\": []}", "model")]
    [InlineData("{\"model\": \"OmniTiny\"}", "messages")]
    [InlineData("{\"model\": \"OmniTiny\", \"messages\": []}", "messages")]
    public async Task Bodies(string body, string parameter) => await Refused(body, 400, "MASQ0943", parameter);

    [Fact]
    public async Task Bodies_that_are_nested_too_deep() => await Refused(new string('[', 100_000), 400, "MASQ0943", "body");

    [Theory]
    [InlineData("""{"role": "assistant", "content": "x"}""", "", "MASQ0941")]
    [InlineData(User, ", \"temperature\": -1", "MASQ0901")]
    [InlineData(User, ", \"temperature\": 1e300", "MASQ0901")]
    [InlineData(User, ", \"reasoning_effort\": \"low\"", "MASQ0904")]
    [InlineData(User, ", \"chat_template_kwargs\": {\"enable_thinking\": true}", "MASQ0904")]
    [InlineData(User, ", \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"x\", \"schema\": {\"pattern\": \"a\"}}}", "MASQ0903")]
    [InlineData("""{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}""", "", "MASQ0301")]
    [InlineData("""{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/webp;base64,AAAA"}}]}""", "", "MASQ0301")]
    [InlineData("""{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}]}""", "", "MASQ0311")]
    public async Task What_the_model_refuses_has_its_code(string message, string member, string code)
    {
        foreach (var stream in (string[])["", ", \"stream\": true"])
        {
            await Refused($$"""{"model": "OmniTiny", "messages": [{{message}}]{{member}}{{stream}}}""", 400, code, null);
        }
    }

    [Fact]
    public async Task Another_model_is_not_found() => await Refused($$"""{"model": "gpt-5", "messages": [{{User}}]}""", 404, "model_not_found", "model");

    /// <summary>Nothing is fetched: who listens at the address hears nothing.</summary>
    [Fact]
    public async Task Addresses_of_media_are_never_followed()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        foreach (var url in (string[])[$"http://{listener.LocalEndpoint}/a.png", "file:///etc/hostname", "https://example.org/a.png", "data:text/html,x"])
        {
            await Refused($$$"""{"model": "OmniTiny", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "{{{url}}}"}}]}]}""", 400, "MASQ0943", "messages[0].content[0].image_url.url");
        }

        Assert.False(listener.Pending());
    }

    [Fact]
    public async Task A_page_of_another_site_cannot_ask()
    {
        using var form = await _served.Post(new StringContent(Served.ShortAnswer, Encoding.UTF8, "text/plain"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, form.StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Host = "attacker.example";
        using var rebound = await _served.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, rebound.StatusCode);
    }

    [Theory]
    [InlineData("/v1/completions", 404)]
    [InlineData("/v1/chat/completions", 405)]
    public async Task Other_endpoints_are_said_to_be_none(string path, int status)
    {
        using var response = await _served.Http.GetAsync(path);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("unknown_url", (await Served.Error(response)).GetProperty("code").GetString());
    }

    private async Task Refused(string json, int status, string code, string? parameter)
    {
        using var response = await _served.Post(json);
        Assert.Equal(status, (int)response.StatusCode);
        var error = await Served.Error(response);
        Assert.Equal(("invalid_request_error", code, parameter), (error.GetProperty("type").GetString(), error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));
        Assert.Contains(parameter ?? ".", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }
}
