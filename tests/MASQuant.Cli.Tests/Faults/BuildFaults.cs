using MASQuant.Delivery;
using MASQuant.Delivery.Caching;
using MASQuant.Delivery.Stores;
using MASQuant.Quantization;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests.Faults;

/// <summary>What a build does under failures: a model is brought to its project's store, from a server that has it or by quantizing, which fills the shared cache and the server.</summary>
/// <param name="model">The models.</param>
/// <param name="served">Whether the server has it.</param>
internal sealed class BuildFaults(FaultCase model, bool served) : IFaultRun
{
    private readonly CacheServer _full = new();
    private readonly string _key = QuantizationPipeline.KeyOf(model.Job);

    public IEnumerable<string> Run(IFault fault)
    {
        using var folder = new TemporaryDirectory();
        using var empty = new CacheServer();
        if (served && _full.Stored.IsEmpty)
        {
            new ArtifactStore(folder.File("first")).Uses.Record("build", [_key]);
            _ = Deliver(folder.File("first"), folder.File("first-cache"), _full);
        }

        var server = served ? _full : empty;
        var (project, cache) = (folder.File("project"), folder.File("cache"));
        new ArtifactStore(project).Uses.Record("build", [_key]);
        var failure = fault.During(() => Deliver(project, cache, server));
        if (failure is not null && !failure.StartsWith("MASQ", StringComparison.Ordinal))
        {
            yield return failure;
        }

        if (Target(project).IsComplete ? !Result(project).Is(model.New) : failure is null)
        {
            yield return $"it left {Result(project)}";
        }

        foreach (var open in OpenFiles.Below(folder.Path))
        {
            yield return $"'{open}' is left open";
        }

        // The same project, another of the same user, and one of another machine.
        foreach (var (where, store) in ((string, string)[])[(project, cache), (folder.File("neighbour"), cache), (folder.File("elsewhere"), folder.File("other-cache"))])
        {
            new ArtifactStore(where).Uses.Record("build", [_key]);
            var trouble = FaultCase.Unharmed(() => Deliver(where, store, server));
            if (trouble is not null || !Result(where).Is(model.New))
            {
                yield return $"then '{Path.GetFileName(where)}' has {Result(where)}: {trouble}";
            }
        }

        foreach (var left in Directory.GetFiles(folder.Path, "*.tmp", SearchOption.AllDirectories))
        {
            yield return $"'{left}' is left";
        }
    }

    public void Dispose() => _full.Dispose();

    private StoredModel Target(string project) => new(new ArtifactStore(project), _key, FaultCase.Name);

    private ModelFolder Result(string project) => ModelFolder.Of(Target(project).Folder);

    // Null when it succeeds.
    private string? Deliver(string project, string cache, CacheServer server)
    {
        try
        {
            var remote = new RemoteCacheSettings(new Uri(server.Address + "/"), ReadOnly: false, TimeSpan.FromSeconds(10), Token: null);
            new ArtifactDelivery(Target(project), new CacheSettings(new CacheFolder(cache), CacheSettings.DefaultMaxBytes, remote), _key, FaultCase.Name, new Silence())
                .Run(run => QuantizationPipeline.Run(run.Start(model.Job)), CancellationToken.None);
            return null;
        }
        catch (MASQuantException e)
        {
            return $"{e.Code}: {e.Description}";
        }
        catch (Exception e)
        {
            return e.ToString();
        }
    }

    private sealed class Silence : IDeliveryLog
    {
        public void Report(DeliveryEvent happened)
        {
        }

        public void Warn(MASQuantException problem)
        {
        }

        public void Detail(string text)
        {
        }
    }
}
