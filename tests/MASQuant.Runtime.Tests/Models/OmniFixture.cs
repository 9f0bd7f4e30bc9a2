namespace MASQuant.Tests.Models;

/// <summary>omni-tiny in full precision, loaded once for the tests of a class.</summary>
public sealed class OmniFixture : IDisposable
{
    public MultimodalModel Model { get; } = MultimodalModel.Load(RepositoryFiles.OmniTiny);

    public void Dispose() => Model.Dispose();
}
