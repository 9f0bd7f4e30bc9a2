using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using MASQuant.Runtime;
using MASQuant.Server;

namespace MASQuant.Bench;

/// <summary>A server under 64 clients that ask without a pause and often leave: every whole answer is compared with that of its prompt alone, refusals other than 429 are failures, memory is watched. Clients and server share a process.</summary>
internal sealed class ServerLoad
{
    private const int Clients = 64;
    private const int Requests = 48; // Fewer than there are clients: some are always told to come later.
    private const double LeavingPortion = 0.25;
    private const int MaxLeavingMilliseconds = 600;
    private const double AllowedGrowth = 0.05;

    private static readonly string[] Questions = ["Quote a verse.", "Read the digits.", "Say hello.", "Which digits?"];

    private readonly MultimodalModel _model;
    private readonly (string Json, string Answer)[] _cases;
    private long _whole;
    private long _left;
    private long _later;
    private long _failed;
    private long _differ;
    private long _tokens;

    private ServerLoad(MultimodalModel model, string samples)
    {
        _model = model;
        var picture = File.ReadAllBytes(Path.Combine(samples, "data", "media", "eval-ocr-000.png"));
        var sound = File.ReadAllBytes(Path.Combine(samples, "data", "media", "eval-asr-000.wav"));
        _cases = [.. Enumerable.Range(0, 24).Select(index => Case(index, picture, sound))];
    }

    /// <summary>Runs for so many seconds; 1 when an answer differs, a request fails or memory grows.</summary>
    public static int Run(string root, int seconds)
    {
        var samples = Path.Combine(root, "samples");
        using var model = MultimodalModel.Load(Path.Combine(samples, "models", "omni-tiny"));
        return new ServerLoad(model, samples).RunAsync(TimeSpan.FromSeconds(seconds)).GetAwaiter().GetResult();
    }

    private async Task<int> RunAsync(TimeSpan duration)
    {
        await using var server = await ModelServer.StartAsync(_model, new ServerOptions { Port = 0, MaxRequests = Requests });
        using var http = new HttpClient { BaseAddress = server.Address, Timeout = TimeSpan.FromMinutes(5) };
        var start = Stopwatch.GetTimestamp();
        using var end = new CancellationTokenSource(duration);
        var clients = Enumerable.Range(0, Clients).Select(client => Task.Run(() => Client(http, client, end.Token))).ToArray();
        var warm = new List<long>();
        var late = new List<long>();
        while (!end.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            var portion = Stopwatch.GetElapsedTime(start) / duration;
            (portion > 2.0 / 3 ? late : portion > 1.0 / 3 ? warm : []).Add(Process.GetCurrentProcess().WorkingSet64);
        }

        await Task.WhenAll(clients);
        var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var left = (await http.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Split('\n').Single(line => line.StartsWith("masquant_requests_in_progress ", StringComparison.Ordinal));
        var (before, after) = (Median(warm), Median(late));
        var growth = ((double)after / before) - 1;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Clients} clients, {took:F0} s: {_whole} whole answers ({_tokens / took:F0} tokens/s), {_left} given up, {_later} told to come later (429), {_failed} failed, {_differ} differ; {left}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"memory: {before >> 20} MiB in the second third, {after >> 20} MiB in the last ({growth:P1}; at most {AllowedGrowth:P0})"));
        return _failed == 0 && _differ == 0 && _whole > 0 && growth <= AllowedGrowth ? 0 : 1;
    }

    private async Task Client(HttpClient http, int client, CancellationToken end)
    {
        var random = new Random(client);
        while (!end.IsCancellationRequested)
        {
            var (json, answer) = _cases[random.Next(_cases.Length)];
            var streamed = random.Next(2) == 0;
            using var leaving = new CancellationTokenSource();
            if (random.NextDouble() < LeavingPortion)
            {
                leaving.CancelAfter(random.Next(MaxLeavingMilliseconds));
            }

            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(streamed ? json.Insert(1, "\"stream\": true, \"stream_options\": {\"include_usage\": true}, ") : json, Encoding.UTF8, new MediaTypeHeaderValue("application/json")) };
                using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leaving.Token);
                if (response.StatusCode == HttpStatusCode.TooManyRequests)
                {
                    Interlocked.Increment(ref _later);
                    await Task.Delay(random.Next(200), CancellationToken.None);
                    continue;
                }

                var body = await response.Content.ReadAsStringAsync(leaving.Token);
                if (response.StatusCode != HttpStatusCode.OK)
                {
                    Fail(body);
                    continue;
                }

                var (text, tokens) = Read(body, streamed);
                Interlocked.Increment(ref _whole);
                Interlocked.Add(ref _tokens, tokens);
                if (text != answer && Interlocked.Increment(ref _differ) == 1)
                {
                    Console.Error.WriteLine($"{json[..Math.Min(json.Length, 300)]}\n  alone: {answer}\n  here:  {text}");
                }
            }
            catch (OperationCanceledException) when (leaving.IsCancellationRequested)
            {
                Interlocked.Increment(ref _left);
            }
            catch (Exception error) when (error is HttpRequestException or IOException or JsonException)
            {
                Fail(error.ToString());
            }
        }
    }

    private void Fail(string what)
    {
        if (Interlocked.Increment(ref _failed) <= 5)
        {
            Console.Error.WriteLine(what);
        }
    }

    // A text, and one of the media or a schema with it; and what the model answers alone.
    private (string Json, string Answer) Case(int index, byte[] picture, byte[] sound)
    {
        var question = Questions[index % Questions.Length];
        var prompt = new Prompt();
        var parts = new List<object>();
        if (index % 3 == 1)
        {
            prompt.Image(picture);
            parts.Add(new { type = "image_url", image_url = new { url = "data:image/png;base64," + Convert.ToBase64String(picture) } });
        }
        else if (index % 3 == 2)
        {
            prompt.Audio(sound);
            parts.Add(new { type = "input_audio", input_audio = new { data = Convert.ToBase64String(sound), format = "wav" } });
        }

        prompt.Text(question);
        parts.Add(new { type = "text", text = question });
        const string Schema = """{"type": "object", "properties": {"kind": {"enum": ["odd", "even"]}, "sure": {"type": "boolean"}}, "required": ["kind", "sure"]}""";
        var options = new GenerationOptions { MaxTokens = 48, Temperature = index % 2, Seed = (ulong)index, Format = index % 4 == 3 ? AnswerFormat.JsonSchema(Schema) : null };
        using var schema = JsonDocument.Parse(Schema);
        var json = JsonSerializer.Serialize(new
        {
            model = _model.Name,
            messages = new[] { new { role = "user", content = parts } },
            max_tokens = options.MaxTokens,
            temperature = options.Temperature,
            seed = options.Seed,
            response_format = options.Format is null ? (object)new { type = "text" } : new { type = "json_schema", json_schema = new { name = "answer", schema = schema.RootElement } },
        });
        return (json, string.Concat(_model.Generate(prompt, options)));
    }

    private static (string Text, int Tokens) Read(string body, bool streamed)
    {
        var text = new StringBuilder();
        var tokens = 0;
        foreach (var piece in streamed ? body.Split("\n\n").Where(line => line.StartsWith("data: {", StringComparison.Ordinal)).Select(line => line["data: ".Length..]) : [body])
        {
            using var document = JsonDocument.Parse(piece);
            foreach (var choice in document.RootElement.GetProperty("choices").EnumerateArray())
            {
                text.Append(choice.GetProperty(streamed ? "delta" : "message").TryGetProperty("content", out var content) ? content.GetString() : "");
            }

            tokens = document.RootElement.TryGetProperty("usage", out var usage) ? usage.GetProperty("completion_tokens").GetInt32() : tokens;
        }

        return !streamed || body.EndsWith("data: [DONE]\n\n", StringComparison.Ordinal) ? (text.ToString(), tokens) : throw new IOException("The stream has no end.");
    }

    private static long Median(List<long> values) => values.Order().ElementAt(values.Count / 2);
}
