using MASQuant.Tests;

namespace MASQuant.Server.Tests;

/// <summary>omni-tiny, served once for the tests of a class.</summary>
public sealed class OmniServer : IAsyncLifetime
{
    internal Served Served { get; private set; } = null!;

    public async Task InitializeAsync() => Served = await Served.StartAsync(RepositoryFiles.OmniTiny);

    public async Task DisposeAsync() => await Served.DisposeAsync();
}
