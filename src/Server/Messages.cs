using Microsoft.Extensions.Logging;

namespace MASQuant.Server;

/// <summary>What the server itself logs.</summary>
internal static partial class Messages
{
    [LoggerMessage(1, LogLevel.Error, "A request failed.")]
    public static partial void Failed(ILogger logger, Exception error);
}
