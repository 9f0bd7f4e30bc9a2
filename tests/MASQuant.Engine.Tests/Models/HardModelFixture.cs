using MASQuant.Engine.Execution;
using MASQuant.HardModel;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>omni-tiny's harder form, written and loaded once for the tests of a class.</summary>
public sealed class HardModelFixture : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public HardModelFixture()
    {
        HardCheckpoint.Write(RepositoryFiles.OmniTiny, _folder.Path);
        Model = LoadedModel.Load(_folder.Path);
    }

    public string Folder => _folder.Path;

    public LoadedModel Model { get; }

    public void Dispose()
    {
        Model.Dispose();
        _folder.Dispose();
    }
}
