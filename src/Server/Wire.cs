using System.Text.Json.Serialization;

namespace MASQuant.Server;

/// <summary>An answer, whole (<c>message</c>) or a piece of it (<c>delta</c>).</summary>
internal sealed record WireCompletion(string Id, string Object, long Created, string Model, IReadOnlyList<WireChoice> Choices, WireUsage? Usage);

/// <summary>The one choice.</summary>
internal sealed record WireChoice(int Index, WireMessage? Message, WireMessage? Delta, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason);

/// <summary>What the model says, and what it thought before.</summary>
internal sealed record WireMessage(string? Role, string? ReasoningContent, string? Content, IReadOnlyList<WireCall>? ToolCalls);

/// <summary>A function that it calls; pieces are counted.</summary>
internal sealed record WireCall(int? Index, string Id, string Type, WireFunction Function);

/// <summary>Its name, and its arguments as the text of a JSON object.</summary>
internal sealed record WireFunction(string Name, string Arguments);

/// <summary>What an answer took, in tokens.</summary>
internal sealed record WireUsage(long PromptTokens, long CompletionTokens, long TotalTokens, WirePromptDetails PromptTokensDetails);

/// <summary>What of a prompt was evaluated before.</summary>
internal sealed record WirePromptDetails(long CachedTokens);

/// <summary>A model.</summary>
internal sealed record WireModel(string Id, string Object, long Created, string OwnedBy);

/// <summary>The models.</summary>
internal sealed record WireModels(string Object, IReadOnlyList<WireModel> Data);

/// <summary>A refusal.</summary>
internal sealed record WireError(WireErrorBody Error);

/// <summary>What is wrong.</summary>
internal sealed record WireErrorBody(
    string Message,
    string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Code);

/// <summary>How they are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WireCompletion))]
[JsonSerializable(typeof(WireModel))]
[JsonSerializable(typeof(WireModels))]
[JsonSerializable(typeof(WireError))]
internal sealed partial class WireJson : JsonSerializerContext;
