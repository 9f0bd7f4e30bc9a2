using System.Globalization;
using System.Text.Json;
using MASQuant.Diagnostics;
using Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI;

/// <summary>How a request wants its tokens chosen. What a model cannot honour is refused by name; nothing is passed over.</summary>
internal static class RequestOptions
{
    /// <summary>Reads options; what they leave unset is as the model's default, or as the <see cref="GenerationOptions"/> that their factory makes.</summary>
    /// <param name="options">Of the request; null: none.</param>
    /// <param name="defaults">The model's.</param>
    /// <param name="client">What factories of raw options are given.</param>
    /// <param name="modelId">The name that requests may ask for.</param>
    /// <exception cref="MASQuantException">MASQ0940: an option that is not supported. Values out of range are refused by generation itself (MASQ0901).</exception>
    public static GenerationOptions Read(ChatOptions? options, GenerationOptions defaults, IChatClient client, string modelId)
    {
        if (options is null)
        {
            return defaults;
        }

        RefuseUnsupported(options, modelId);
        var start = options.RawRepresentationFactory?.Invoke(client) switch
        {
            null => defaults,
            GenerationOptions raw => raw,
            var other => throw NotSupported($"RawRepresentationFactory made a {other.GetType().Name}; it must make GenerationOptions"),
        };
        return WithAdditional(start with
        {
            MaxTokens = options.MaxOutputTokens ?? start.MaxTokens,
            Temperature = Real(options.Temperature) ?? start.Temperature,
            TopP = Real(options.TopP) ?? start.TopP,
            TopK = options.TopK ?? start.TopK,
            PresencePenalty = Real(options.PresencePenalty) ?? start.PresencePenalty,
            FrequencyPenalty = Real(options.FrequencyPenalty) ?? start.FrequencyPenalty,
            Seed = options.Seed is { } seed ? unchecked((ulong)seed) : start.Seed,
            StopStrings = options.StopSequences is { } stops ? [.. stops] : start.StopStrings,
            Format = options.ResponseFormat is { } format ? FormatOf(format) : start.Format,
            Thinks = options.Reasoning?.Effort is { } effort ? effort != ReasoningEffort.None : start.Thinks,
        }, options.AdditionalProperties);
    }

    private static void RefuseUnsupported(ChatOptions options, string modelId)
    {
        Refuse(options.ModelId is { } asked && asked != modelId, $"The request asks for the model '{options.ModelId}', and this client has '{modelId}'");
        Refuse(options.ConversationId is not null, "ConversationId is set, and this client keeps no conversations: give all their messages");
        Refuse(options is { ResponseFormat: ChatResponseFormatJson, Tools.Count: > 0, ToolMode: not NoneChatToolMode }, "ResponseFormat asks for JSON beside Tools, and an answer that is held to it calls nothing");
        Refuse(options.Reasoning?.Output is ReasoningOutput.Summary, "Reasoning asks for a summary of what is thought, and a model gives all of it or none");
        Refuse(options.AllowBackgroundResponses is true || options.ContinuationToken is not null, "Background responses are asked for");
    }

    private static AnswerFormat? FormatOf(ChatResponseFormat format) => format switch
    {
        ChatResponseFormatText => null,
        ChatResponseFormatJson { Schema: { } schema } => AnswerFormat.JsonSchema(schema.GetRawText()),
        ChatResponseFormatJson => AnswerFormat.Json,
        _ => throw NotSupported($"ResponseFormat is a {format.GetType().Name}"),
    };

    private static GenerationOptions WithAdditional(GenerationOptions generation, AdditionalPropertiesDictionary? additional)
    {
        foreach (var (name, value) in additional ?? [])
        {
            generation = name switch
            {
                "min_p" => generation with { MinP = Number(name, value) },
                "repetition_penalty" => generation with { RepetitionPenalty = Number(name, value) },
                _ => throw NotSupported($"AdditionalProperties has '{name}', which is neither min_p nor repetition_penalty"),
            };
        }

        return generation;
    }

    private static double Number(string name, object? value) => value switch
    {
        double real => real,
        float real => Real(real)!.Value,
        int or long or decimal => Convert.ToDouble(value, CultureInfo.InvariantCulture),
        JsonElement { ValueKind: JsonValueKind.Number } number => number.GetDouble(),
        _ => throw NotSupported($"AdditionalProperties has a '{name}' that is no number"),
    };

    // As it was written: 0.7f is 0.7, not 0.699999988.
    private static double? Real(float? value) => value is { } real ? double.Parse(real.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : null;

    private static void Refuse(bool condition, string what)
    {
        if (condition)
        {
            throw NotSupported(what);
        }
    }

    /// <summary>What to throw for an option that is not supported: MASQ0940.</summary>
    internal static MASQuantException NotSupported(string what) => new(DiagnosticCodes.ChatOptionNotSupported, null, $"{what}. Leave it out of the ChatOptions; docs/chat.md lists what is supported.");
}
