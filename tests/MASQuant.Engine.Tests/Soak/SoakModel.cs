using MASQuant.Runtime;

namespace MASQuant.Engine.Tests.Soak;

/// <summary>The model that all threads use, and that any of them replaces while the others use it.</summary>
internal sealed class SoakModel(string artifact) : IDisposable
{
    private MultimodalModel _model = Load(artifact);

    /// <summary>Opens the artifact.</summary>
    public static MultimodalModel Load(string artifact) => MultimodalModel.Load(artifact, new ModelOptions { MaxSequences = 3, PrefixCacheBytes = 4 << 20 });

    /// <summary>Uses the model; false where it was disposed meanwhile, which is right only when it has been replaced.</summary>
    public bool TryUse(Action<MultimodalModel> use)
    {
        var model = Volatile.Read(ref _model);
        try
        {
            use(model);
            return true;
        }
        catch (ObjectDisposedException) when (model != Volatile.Read(ref _model))
        {
            return false;
        }
    }

    /// <summary>Opens another and disposes the one that is in use.</summary>
    public void Reload() => Interlocked.Exchange(ref _model, Load(artifact)).Dispose();

    public void Dispose() => _model.Dispose();
}
