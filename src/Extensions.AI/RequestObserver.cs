using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace MASQuant.Extensions.AI;

/// <summary>What logs, traces and metrics hold of a request: from its construction until it has ended, failed or been given up.</summary>
internal sealed class RequestObserver : IDisposable
{
    private readonly ILogger _logger;
    private readonly string _model;
    private readonly string _id;
    private readonly Activity? _activity;
    private readonly long _start = Stopwatch.GetTimestamp();
    private TimeSpan? _first;
    private bool _ended;

    public RequestObserver(ILogger logger, string model, string id)
    {
        (_logger, _model, _id) = (logger, model, id);
        _activity = MASQuantTelemetry.Source.StartActivity($"chat {model}", ActivityKind.Internal, default(ActivityContext), Tags);
        _logger.Begun(id, model);
    }

    private KeyValuePair<string, object?>[] Tags =>
    [
        new("gen_ai.operation.name", "chat"), new("gen_ai.provider.name", MultimodalChatClient.Provider), new("gen_ai.request.model", _model),
    ];

    private KeyValuePair<string, object?>[] ResponseTags => [.. Tags, new("gen_ai.response.model", _model)];

    /// <summary>Runs a step, whose failure is the request's.</summary>
    public T Run<T>(Func<T> step)
    {
        try
        {
            return step();
        }
        catch (Exception error)
        {
            Fail(error);
            throw;
        }
    }

    /// <summary>Says how tokens are chosen.</summary>
    public void Generates(GenerationOptions options)
    {
        _activity?.SetTag("gen_ai.request.max_tokens", options.MaxTokens).SetTag("gen_ai.request.temperature", options.Temperature).SetTag("gen_ai.request.top_p", options.TopP)
            .SetTag("gen_ai.request.top_k", options.TopK).SetTag("gen_ai.request.seed", unchecked((long)options.Seed))
            .SetTag("gen_ai.request.presence_penalty", options.PresencePenalty).SetTag("gen_ai.request.frequency_penalty", options.FrequencyPenalty);
        if (options.StopStrings.Count > 0)
        {
            _activity?.SetTag("gen_ai.request.stop_sequences", options.StopStrings.ToArray());
        }
    }

    /// <summary>Passes pieces on as they come.</summary>
    public async IAsyncEnumerable<BatchPiece> Pieces(IAsyncEnumerable<BatchPiece> pieces, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var each = pieces.GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await each.MoveNextAsync().ConfigureAwait(false))
                {
                    break;
                }
            }
            catch (Exception error)
            {
                Fail(error);
                throw;
            }

            _first ??= Stopwatch.GetElapsedTime(_start);
            yield return each.Current;
        }
    }

    /// <summary>The answer is whole.</summary>
    public void End(AnswerUsage usage, ChatFinishReason reason)
    {
        _ended = true;
        var took = Stopwatch.GetElapsedTime(_start);
        _activity?.SetTag("gen_ai.response.id", _id).SetTag("gen_ai.response.model", _model).SetTag("gen_ai.response.finish_reasons", new[] { reason.Value })
            .SetTag("gen_ai.usage.input_tokens", usage.PromptTokens).SetTag("gen_ai.usage.output_tokens", usage.GeneratedTokens);
        MASQuantTelemetry.Duration.Record(took.TotalSeconds, ResponseTags);
        if (_first is { } first)
        {
            MASQuantTelemetry.TimeToFirstToken.Record(first.TotalSeconds, ResponseTags);
            if (usage.GeneratedTokens > 1)
            {
                MASQuantTelemetry.TimePerOutputToken.Record((took - first).TotalSeconds / (usage.GeneratedTokens - 1), ResponseTags);
            }
        }

        _logger.Ended(_id, _model, reason.Value, usage.PromptTokens, usage.GeneratedTokens, took.TotalSeconds);
    }

    /// <summary>A request that neither ended nor failed was given up by who read its answer.</summary>
    public void Dispose()
    {
        if (!_ended)
        {
            GiveUp("abandoned");
        }

        _activity?.Dispose();
    }

    private void Fail(Exception error)
    {
        if (error is OperationCanceledException)
        {
            GiveUp(typeof(OperationCanceledException).FullName!);
            return;
        }

        _ended = true;
        var code = (error as MASQuantException)?.Code ?? error.GetType().FullName!;
        Record(code);
        _activity?.SetStatus(ActivityStatusCode.Error, error.Message);
        if (error is MASQuantException)
        {
            _logger.Refused(_id, _model, error.Message);
        }
        else
        {
            _logger.Failed(error, _id, _model);
        }
    }

    private void GiveUp(string type)
    {
        _ended = true;
        Record(type);
        _logger.GivenUp(_id, _model, Stopwatch.GetElapsedTime(_start).TotalSeconds);
    }

    private void Record(string errorType)
    {
        _activity?.SetTag("error.type", errorType);
        MASQuantTelemetry.Duration.Record(Stopwatch.GetElapsedTime(_start).TotalSeconds, [.. Tags, new("error.type", errorType)]);
    }
}
