using MASQuant.Delivery;
using MASQuant.Delivery.Caching;
using MASQuant.Delivery.Stores;
using MASQuant.Diagnostics;
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

    /// <summary>What fails in the cache's folder, at any moment of a run, costs a warning and another run.</summary>
    [Theory]
    [InlineData("full before any work")]
    [InlineData("deleted before a block is written")]
    [InlineData("deleted when the artifact is written")]
    [InlineData("full when a block is written")]
    [InlineData("permissions gone")]
    public void A_cache_that_fails_during_a_run_is_a_warning(string what)
    {
        using var cache = new CacheCase();
        var runs = 0;
        var log = Deliver(cache, run =>
        {
            var isFirst = runs++ == 0;
            Assert.Equal(isFirst, run.Path.StartsWith(cache.Folder.Path, StringComparison.Ordinal));
            switch (isFirst ? what : "")
            {
                case "full before any work":
                    throw new MASQuantException(DiagnosticCodes.NotEnoughDisk, run.Output, "Quantizing needs 3 GB on this disk; 1 GB are free.");
                case "deleted before a block is written":
                    Directory.Delete(cache.Folder.Path, recursive: true);
                    throw new MASQuantException(DiagnosticCodes.FileNotReadable, Path.Combine(run.Layers, "layer-000.safetensors"), "The file cannot be read.");
                case "full when a block is written":
                    throw new MASQuantException(DiagnosticCodes.FileNotWritable, Path.Combine(run.Layers, "layer-000.safetensors"), "The file cannot be written: No space left on device.");
                case "permissions gone":
                    throw new UnauthorizedAccessException("Access to the path is denied.");
                case "deleted when the artifact is written":
                    Write(run);
                    Directory.Delete(cache.Folder.Path, recursive: true);
                    break;
                default:
                    Write(run);
                    break;
            }
        });
        Assert.Equal(2, runs);
        Assert.Contains("Work goes on without it", Assert.Single(log.Warnings), StringComparison.Ordinal);
        Assert.Equal(["manifest", "artifact"], CacheCase.Names.Select(name => File.ReadAllText(Path.Combine(cache.Target, name))));
    }

    [Fact]
    public void A_target_that_fails_ends_the_delivery_with_its_name()
    {
        using var cache = new CacheCase();
        var runs = 0;
        File.WriteAllText(cache.Target, "a file where the folder should be");
        var problem = Assert.Throws<MASQuantException>(() => Deliver(cache, run =>
        {
            runs++;
            Write(run);
        }));
        Assert.Equal((DiagnosticCodes.FileNotWritable, cache.Target), (problem.Code, problem.File));
        Assert.Equal(1, runs);
    }

    [Fact]
    public void A_model_that_cannot_be_quantized_is_tried_once()
    {
        using var cache = new CacheCase();
        var runs = 0;
        var problem = Assert.Throws<MASQuantException>(() => Deliver(cache, run =>
        {
            runs++;
            throw new MASQuantException(DiagnosticCodes.FileNotReadable, "model/model.safetensors", "The file cannot be read.");
        }));
        Assert.Equal((1, "model/model.safetensors"), (runs, problem.File));
    }

    /// <summary>Bytes that are what their hashes say, and no model.</summary>
    [Fact]
    public void Junk_under_the_key_is_made_again()
    {
        using var cache = new CacheCase();
        cache.Add(Key, "{}", "junk");
        var runs = 0;
        var log = Deliver(cache, run =>
        {
            runs++;
            Write(run);
        });
        Assert.Equal(1, runs);
        Assert.Contains("was damaged in the shared cache", Assert.Single(log.Warnings), StringComparison.Ordinal);
        Assert.Equal("artifact", File.ReadAllText(Path.Combine(cache.Target, CacheCase.Names[1])));
    }

    /// <summary>The next build of whoever takes the upload on finds the note free.</summary>
    [Fact]
    public void An_upload_that_cannot_be_marked_holds_no_note()
    {
        using var cache = new CacheCase();
        using var server = new CacheServer();
        var store = new ArtifactStore(cache.Target);
        Directory.CreateDirectory(store.UploadMark(Key, "Tiny")); // where a file is to be
        var settings = new CacheSettings(cache.Folder, CacheSettings.DefaultMaxBytes, new RemoteCacheSettings(RemoteCacheSettings.ReadAddress(server.Address)!, ReadOnly: false, TimeSpan.FromSeconds(60), null));
        var log = new Log();
        new ArtifactDelivery(new StoredModel(store, Key, "Tiny"), settings, Key, "Tiny", log).Run(Write, default);

        Assert.Contains("Tiny.upload", Assert.Single(log.Warnings), StringComparison.Ordinal);
        using var free = new PendingUpload(cache.Folder.Path, Key).TryTake();
        Assert.NotNull(free);
    }

    private static Log Deliver(CacheCase cache, Action<RunFolder> quantize)
    {
        var log = new Log();
        new ArtifactDelivery(new OutputFolder(cache.Target, cache.Target + ".work"), new CacheSettings(cache.Folder, CacheSettings.DefaultMaxBytes, null), Key, "Tiny", log).Run(quantize, default);
        return log;
    }

    private static void Write(RunFolder run)
    {
        Directory.CreateDirectory(run.Output);
        foreach (var (name, content) in CacheCase.Names.Zip(["manifest", "artifact"]))
        {
            File.WriteAllText(Path.Combine(run.Output, name), content);
        }
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
