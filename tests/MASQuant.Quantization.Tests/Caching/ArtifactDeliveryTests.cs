using MASQuant.Delivery;
using MASQuant.Delivery.Caching;
using MASQuant.Delivery.Stores;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Caching;

public class ArtifactDeliveryTests
{
    private static readonly string Key = CacheCase.Key("a");

    /// <summary>However much a server announces, what a model can have is known here.</summary>
    [Fact]
    public async Task A_server_that_announces_more_than_the_model_can_have_is_not_asked_for_it()
    {
        const long Most = 1000;
        using var server = new CacheServer();
        using var cache = new CacheCase();
        var settings = new RemoteCacheSettings(RemoteCacheSettings.ReadAddress(server.Address)!, ReadOnly: true, TimeSpan.FromSeconds(60), null);
        using (var filler = new RemoteCache(settings))
        {
            await filler.UploadAsync(cache.Write(Key), cache.Folder.Run(Key).Output, default);
        }

        cache.Folder.Run(Key).Delete();
        var result = ActionResult.TryParse(server.Stored[$"ac/{Key}"], Key)!;
        server.Stored[$"ac/{Key}"] = new ActionResult(Key, [result.Files[0], result.Files[1] with { Bytes = Most + 1 }]).Serialize();

        var log = new Log();
        var made = false;
        var delivery = new ArtifactDelivery(new OutputFolder(cache.Target, cache.Target), new CacheSettings(cache.Folder, CacheSettings.DefaultMaxBytes, settings), Key, "Tiny", log) { MaxBytes = Most };
        delivery.Run(run =>
        {
            made = true;
            cache.Write(Key);
        }, default);
        Assert.True(made);
        Assert.Contains("announces 1001 bytes", Assert.Single(log.Warnings), StringComparison.Ordinal);
        Assert.DoesNotContain(server.Requests, request => request.StartsWith("GET cas/", StringComparison.Ordinal));
    }

    private sealed class Log : IDeliveryLog
    {
        public List<string> Warnings { get; } = [];

        public void Report(DeliveryEvent happened)
        {
        }

        public void Warn(MASQuantException problem) => Warnings.Add(problem.Message);

        public void Detail(string text)
        {
        }
    }
}
