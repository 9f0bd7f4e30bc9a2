using MASQuant.Runtime;

namespace MASQuant.Extensions.AI;

/// <summary>The model of a host. One of <see cref="ModelPath"/> and <see cref="Load"/> says which; both are looked at when the host starts.</summary>
public sealed class MASQuantOptions
{
    /// <summary>An artifact's file or a checkpoint's folder, from the current directory.</summary>
    public string? ModelPath { get; set; }

    /// <summary>Opens the model: <c>_ => OmniTiny.Load().MultimodalModel</c> for a class that was built. The host disposes it.</summary>
    public Func<IServiceProvider, MultimodalModel>? Load { get; set; }

    /// <summary>How the model of <see cref="ModelPath"/> is run; null: as <see cref="ModelOptions"/> are by themselves.</summary>
    public ModelOptions? Model { get; set; }

    /// <summary>What the client is called, and what it may read.</summary>
    public ModelChatOptions Chat { get; set; } = new();
}
