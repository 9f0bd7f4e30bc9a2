using MASQuant.Engine.Execution;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>The checkpoints of further families, each opened once.</summary>
public sealed class FurtherFamilyModels : IDisposable
{
    private readonly Dictionary<string, LoadedModel> _models = [];

    public LoadedModel this[string family]
    {
        get
        {
            if (!_models.TryGetValue(family, out var model))
            {
                _models[family] = model = LoadedModel.Load(FamilyFixtures.Model(family));
            }

            return model;
        }
    }

    public void Dispose()
    {
        foreach (var model in _models.Values)
        {
            model.Dispose();
        }
    }
}
