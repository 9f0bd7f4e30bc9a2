using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace MASQuant.Extensions.AI.Tests;

/// <summary>Keeps what is logged.</summary>
internal sealed class Logs : ILoggerProvider, ILoggerFactory
{
    public ConcurrentQueue<(string Category, LogLevel Level, int Event, string Text)> Entries { get; } = [];

    public ILogger CreateLogger(string categoryName) => new Log(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private sealed class Log(Logs logs, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => logs.Entries.Enqueue((category, logLevel, eventId.Id, formatter(state, exception)));
    }
}
