using System.Diagnostics;
using System.Diagnostics.Metrics;
using MASQuant.Runtime;
using MASQuant.Tests;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI.Tests;

/// <summary>What logs, spans and metrics say of a request, in the names of OpenTelemetry's conventions for generative AI (semconv 1.37, gen-ai-spans and gen-ai-metrics).</summary>
public sealed class TelemetryTests(OmniClient omni) : IClassFixture<OmniClient>
{
    private const string Question = "Quote a verse.";

    [Fact]
    public async Task A_whole_answer()
    {
        const string Model = "telemetry-whole";
        using var measured = new Measurements(MASQuantTelemetry.Name, Model);
        using var logs = new Logs();
        using var client = omni.Model.AsChatClient(new ModelChatOptions { ModelId = Model }, logs);
        var response = await client.GetResponseAsync(Question, new ChatOptions { Temperature = 0.5f, TopK = 3, Seed = 4, StopSequences = ["~"] });

        var span = Assert.Single(measured.Spans);
        Assert.Equal(($"chat {Model}", ActivityKind.Internal, ActivityStatusCode.Unset), (span.DisplayName, span.Kind, span.Status));
        var tags = span.TagObjects.ToDictionary(tag => tag.Key, tag => tag.Value);
        Assert.Equal(["stop"], Assert.IsType<string[]>(tags["gen_ai.response.finish_reasons"]));
        Assert.Equal(["~"], Assert.IsType<string[]>(tags["gen_ai.request.stop_sequences"]));
        Assert.Equal(
            [
                ("gen_ai.operation.name", "chat"), ("gen_ai.provider.name", "masquant"), ("gen_ai.request.frequency_penalty", 0.0), ("gen_ai.request.max_tokens", 512), ("gen_ai.request.model", Model),
                ("gen_ai.request.presence_penalty", 0.0), ("gen_ai.request.seed", 4L), ("gen_ai.request.temperature", 0.5), ("gen_ai.request.top_k", 3), ("gen_ai.request.top_p", 1.0),
                ("gen_ai.response.id", response.ResponseId), ("gen_ai.response.model", Model), ("gen_ai.usage.input_tokens", (int)response.Usage!.InputTokenCount!), ("gen_ai.usage.output_tokens", (int)response.Usage.OutputTokenCount!),
            ],
            tags.Where(tag => tag.Value is not string[]).Select(tag => (tag.Key, tag.Value)).OrderBy(tag => tag.Key, StringComparer.Ordinal));

        Assert.Equal(["gen_ai.server.request.duration", "gen_ai.server.time_per_output_token", "gen_ai.server.time_to_first_token"], measured.Values.Select(value => value.Instrument.Name).Order(StringComparer.Ordinal));
        Assert.All(measured.Values, value => Assert.Equal("s", value.Instrument.Unit));
        Assert.All(measured.Values, value => Assert.Equal(["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model"], value.Tags.Keys.Order(StringComparer.Ordinal)));
        // The whole is the first token and as many times a further one as there are.
        double Value(string name) => measured.Values.Single(value => value.Instrument.Name == name).Value;
        var parts = Value("gen_ai.server.time_to_first_token") + (Value("gen_ai.server.time_per_output_token") * (int)(response.Usage.OutputTokenCount - 1));
        Assert.Equal(Value("gen_ai.server.request.duration"), parts, 1e-9); // sums and quotients of FP64 below 1000 s: 2⁻⁵³ · 1000 each

        Assert.Equal([(LogLevel.Debug, 2), (LogLevel.Information, 3)], logs.Entries.Select(entry => (entry.Level, entry.Event)));
        Assert.All(logs.Entries, entry => Assert.Equal(MASQuantTelemetry.Name, entry.Category));
        Assert.Contains($"ended (stop): {response.Usage.InputTokenCount} tokens in, {response.Usage.OutputTokenCount} out", logs.Entries.Last().Text, StringComparison.Ordinal);
        Assert.All(logs.Entries, entry => Assert.DoesNotContain(Question, entry.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_refused_request()
    {
        const string Model = "telemetry-refused";
        using var measured = new Measurements(MASQuantTelemetry.Name, Model);
        using var logs = new Logs();
        using var client = omni.Model.AsChatClient(new ModelChatOptions { ModelId = Model }, logs);
        await Assert.ThrowsAsync<MASQuantException>(() => client.GetResponseAsync(Question, new ChatOptions { ConversationId = "1" }));
        await Assert.ThrowsAsync<MASQuantException>(() => client.GetResponseAsync([new Ai.ChatMessage(Ai.ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")])]));
        Assert.Equal(["MASQ0940", "MASQ0301"], measured.Spans.Select(span => span.GetTagItem("error.type")));
        Assert.All(measured.Spans, span => Assert.Equal(ActivityStatusCode.Error, span.Status));
        Assert.Equal(["MASQ0940", "MASQ0301"], measured.Values.Select(value => value.Tags["error.type"]));
        Assert.All(measured.Values, value => Assert.Equal("gen_ai.server.request.duration", value.Instrument.Name));
        Assert.Equal([(LogLevel.Debug, 2), (LogLevel.Warning, 5), (LogLevel.Debug, 2), (LogLevel.Warning, 5)], logs.Entries.Select(entry => (entry.Level, entry.Event)));
    }

    [Fact]
    public async Task A_failed_request()
    {
        const string Model = "telemetry-failed";
        using var measured = new Measurements(MASQuantTelemetry.Name, Model);
        using var logs = new Logs();
        var model = MultimodalModel.Load(RepositoryFiles.VlTiny);
        model.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => model.AsChatClient(new ModelChatOptions { ModelId = Model }, logs).GetResponseAsync(Question));
        Assert.Equal("System.ObjectDisposedException", Assert.Single(measured.Spans).GetTagItem("error.type"));
        Assert.Equal((LogLevel.Error, 6), (logs.Entries.Last().Level, logs.Entries.Last().Event));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_request_that_is_given_up(bool cancelled)
    {
        var name = $"telemetry-given-up-{cancelled}";
        using var measured = new Measurements(MASQuantTelemetry.Name, name);
        using var logs = new Logs();
        using var client = omni.Model.AsChatClient(new ModelChatOptions { ModelId = name }, logs);
        using var source = new CancellationTokenSource();
        await using (var updates = client.GetStreamingResponseAsync(Question, cancellationToken: source.Token).GetAsyncEnumerator())
        {
            Assert.True(await updates.MoveNextAsync());
            if (cancelled)
            {
                await source.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await updates.MoveNextAsync());
            }
        }

        Assert.Equal(cancelled ? "System.OperationCanceledException" : "abandoned", Assert.Single(measured.Spans).GetTagItem("error.type"));
        Assert.Equal([(LogLevel.Debug, 2), (LogLevel.Information, 4)], logs.Entries.Select(entry => (entry.Level, entry.Event)));
        Assert.Single(measured.Values);
    }

    [Fact]
    public void Histograms_have_the_boundaries_of_the_conventions()
    {
        var boundaries = new Dictionary<string, double[]>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument is Histogram<double> histogram && instrument.Meter.Name == MASQuantTelemetry.Name)
                {
                    boundaries[instrument.Name] = [.. histogram.Advice!.HistogramBucketBoundaries!];
                }
            },
        };
        _ = MASQuantTelemetry.Duration;
        listener.Start();
        Assert.Equal([0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92], boundaries["gen_ai.server.request.duration"]);
        Assert.Equal([0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5], boundaries["gen_ai.server.time_per_output_token"]);
        Assert.Equal([0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0], boundaries["gen_ai.server.time_to_first_token"]);
    }
}
