using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace MASQuant.Server;

/// <summary>Reads the body of <c>POST /v1/chat/completions</c>. What cannot be honoured is refused by its name; nothing is passed over but what has no bearing on an answer.</summary>
internal static class ChatRequestReader
{
    private const int MaxStops = 16;

    // A name that comes twice would mean one thing here and another to whoever checked the request before.
    private static readonly JsonDocumentOptions Json = new() { AllowDuplicateProperties = false };

    /// <exception cref="ApiException">A body that is no request, or one that is not supported.</exception>
    public static async Task<ChatRequest> ReadAsync(Stream body, string modelId, CancellationToken cancellationToken)
    {
        try
        {
            using var document = await JsonDocument.ParseAsync(body, Json, cancellationToken).ConfigureAwait(false);
            return Read(new Field("", document.RootElement), modelId);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw ApiException.Refused("body", "is no valid JSON in UTF-8, or names a member twice."); // Half a surrogate pair is an InvalidOperationException.
        }
    }

    private static ChatRequest Read(Field root, string modelId)
    {
        var request = new ChatRequest();
        var options = request.Options;
        var hasModel = false;
        foreach (var (key, field) in root.Members())
        {
            switch (key)
            {
                case "model":
                    hasModel = field.Text() == modelId ? true : throw UnknownModel(field.Text(), modelId);
                    break;
                case "messages":
                    request.Messages.AddRange(field.Items().Select(MessageReader.Read));
                    break;
                case "stream":
                    request.Stream = field.Flag();
                    break;
                case "stream_options":
                    request.IncludeUsage = field.Members("include_usage").TryGetValue("include_usage", out var include) && include.Flag();
                    break;
                case "max_tokens" or "max_completion_tokens":
                    options.MaxOutputTokens = options.MaxOutputTokens is null ? field.Count() : throw field.Refuse("is given beside the other name of the same limit.");
                    break;
                case "temperature":
                    options.Temperature = (float)field.Real();
                    break;
                case "top_p":
                    options.TopP = (float)field.Real();
                    break;
                case "top_k":
                    options.TopK = field.Count();
                    break;
                case "min_p" or "repetition_penalty":
                    (options.AdditionalProperties ??= [])[key] = field.Real();
                    break;
                case "presence_penalty":
                    options.PresencePenalty = (float)field.Real();
                    break;
                case "frequency_penalty":
                    options.FrequencyPenalty = (float)field.Real();
                    break;
                case "seed":
                    options.Seed = field.Long();
                    break;
                case "stop":
                    options.StopSequences = field.IsText ? [field.Text()] : [.. field.Items().Select(item => item.Text())];
                    field.Only(options.StopSequences.Count <= MaxStops, $"up to {MaxStops} texts");
                    break;
                case "response_format":
                    options.ResponseFormat = FormatReader.Read(field);
                    break;
                case "reasoning_effort":
                    options.Reasoning = ThoughtReader.Effort(field, options.Reasoning);
                    break;
                case "chat_template_kwargs":
                    options.Reasoning = ThoughtReader.Template(field, options.Reasoning);
                    break;
                case "tools":
                    options.Tools = [.. field.Items().Select(ToolReader.Read)];
                    break;
                case "tool_choice":
                    options.ToolMode = ToolReader.Mode(field);
                    break;
                case "user" or "safety_identifier" or "prompt_cache_key" or "metadata":
                    break; // No bearing on an answer.
                default:
                    OnlyDefault(key, field);
                    break;
            }
        }

        return !hasModel ? throw ApiException.Refused("model", "is missing.")
            : request.Messages.Count == 0 ? throw ApiException.Refused("messages", "is missing or empty.")
            : request;
    }

    // What OpenAI's clients send unasked.
    private static void OnlyDefault(string key, Field field)
    {
        switch (key)
        {
            case "n":
                field.Only(field.Count() == 1, "1");
                break;
            case "logprobs" or "store":
                field.Only(!field.Flag(), "false");
                break;
            case "parallel_tool_calls":
                field.Only(field.Flag(), "true");
                break;
            case "service_tier":
                field.Only(field.Text() is "auto" or "default", "auto");
                break;
            case "modalities":
                field.Only(field.Items().Select(item => item.Text()).SequenceEqual(["text"]), "[\"text\"]");
                break;
            case "logit_bias":
                field.Only(!field.Members().Any(), "{}");
                break;
            default:
                throw field.Refuse("is not supported. Leave it out; docs/server.md lists what is.");
        }
    }

    internal static ApiException UnknownModel(string asked, string modelId)
        => new(StatusCodes.Status404NotFound, ApiException.InvalidRequest, $"The model '{ApiException.Short(asked)}' is not here; this server has '{modelId}'.", "model_not_found", "model");
}
