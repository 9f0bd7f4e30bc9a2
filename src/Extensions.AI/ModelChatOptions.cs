using Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI;

/// <summary>What a chat client of a model is called, and what it may read.</summary>
public sealed record ModelChatOptions
{
    /// <summary>The name that requests may ask for (<see cref="ChatOptions.ModelId"/>) and that answers carry; null: <see cref="Runtime.MultimodalModel.Name"/>.</summary>
    public string? ModelId { get; init; }

    /// <summary>Whether a <see cref="UriContent"/> may name a file of this machine (<c>file:</c>). Off by default: whoever writes a request would choose what is read. Other addresses are never followed.</summary>
    public bool ReadsFiles { get; init; }
}
