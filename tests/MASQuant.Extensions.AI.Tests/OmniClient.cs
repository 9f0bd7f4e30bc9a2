using MASQuant.Runtime;
using MASQuant.Tests;
using Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI.Tests;

/// <summary>omni-tiny in full precision, opened once for the tests of a class, and its client.</summary>
public sealed class OmniClient : IDisposable
{
    public OmniClient()
    {
        Model = MultimodalModel.Load(RepositoryFiles.OmniTiny);
        Client = Model.AsChatClient();
    }

    public MultimodalModel Model { get; }

    public IChatClient Client { get; }

    /// <summary>What the model itself answers.</summary>
    public string Answer(Prompt prompt, GenerationOptions? options = null) => string.Concat(Model.Generate(prompt, options));

    public void Dispose()
    {
        Client.Dispose();
        Model.Dispose();
    }
}
