using MASQuant.Engine.Execution;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>omni-tiny in full precision, loaded once for the tests of a class.</summary>
public sealed class OmniFixture : IDisposable
{
    public LoadedModel Model { get; } = LoadedModel.Load(RepositoryFiles.OmniTiny);

    public void Dispose() => Model.Dispose();
}
