using MASQuant.Engine.Execution;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>A model of random weights whose layers carry a state.</summary>
public sealed class StateModel : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public StateModel()
    {
        Folder = SmallCheckpoint.WriteWithStates(_folder.File("model"));
        Model = LoadedModel.Load(Folder);
    }

    public string Folder { get; }

    public LoadedModel Model { get; }

    public void Dispose()
    {
        Model.Dispose();
        _folder.Dispose();
    }
}
