using Microsoft.Extensions.Logging;

namespace MASQuant.Extensions.AI;

/// <summary>What is logged, in the category <see cref="MASQuantTelemetry.Name"/>. Neither questions nor answers are.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(1, LogLevel.Information, "Loaded {Model} from {Path} on {Device} in {Seconds:F2} s.")]
    public static partial void Loaded(this ILogger logger, string model, string path, string device, double seconds);

    [LoggerMessage(2, LogLevel.Debug, "Request {Request} to {Model} begins.")]
    public static partial void Begun(this ILogger logger, string request, string model);

    [LoggerMessage(3, LogLevel.Information, "Request {Request} to {Model} ended ({Reason}): {InputTokens} tokens in, {OutputTokens} out, {Seconds:F2} s.")]
    public static partial void Ended(this ILogger logger, string request, string model, string reason, int inputTokens, int outputTokens, double seconds);

    [LoggerMessage(4, LogLevel.Information, "Request {Request} to {Model} was given up after {Seconds:F2} s.")]
    public static partial void GivenUp(this ILogger logger, string request, string model, double seconds);

    [LoggerMessage(5, LogLevel.Warning, "Request {Request} to {Model} cannot be answered. {Problem}")]
    public static partial void Refused(this ILogger logger, string request, string model, string problem);

    [LoggerMessage(6, LogLevel.Error, "Request {Request} to {Model} failed.")]
    public static partial void Failed(this ILogger logger, Exception error, string request, string model);

    [LoggerMessage(7, LogLevel.Warning, "{Model} runs slower than it could: {Problem}")]
    public static partial void Hampered(this ILogger logger, string model, string problem);
}
