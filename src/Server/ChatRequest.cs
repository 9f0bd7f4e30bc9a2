using Microsoft.Extensions.AI;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Server;

/// <summary>What is asked.</summary>
internal sealed record ChatRequest
{
    public List<Ai.ChatMessage> Messages { get; } = [];

    public ChatOptions Options { get; } = new();

    /// <summary>Whether the answer comes piece by piece.</summary>
    public bool Stream { get; set; }

    /// <summary>Whether a streamed answer ends with what it took.</summary>
    public bool IncludeUsage { get; set; }
}
