using MASQuant.Tests;

namespace MASQuant.Build.Tests;

/// <summary>A server that helps, and servers that must not harm: the build is right and says so once.</summary>
[Trait("Lane", "build")]
public class RemoteCacheTests
{
    [Fact]
    public void Another_machine_downloads_what_one_uploaded_with_pointers_alone()
    {
        using var server = new CacheServer();
        using var project = Open(server);
        var log = project.Quantize().MustSucceed();
        Assert.Equal(("Tiny", "Tiny"), (Assert.Single(log.Quantized), Assert.Single(log.Uploaded)));
        Assert.Equal(4, server.Stored.Count); // an entry, and the artifact, the manifest and the facts that it names

        using var other = Open(server);
        other.Write("model/model.safetensors", $"version https://git-lfs.github.com/spec/v1\noid sha256:{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("weights"u8))}\nsize 7\n");
        log = other.Quantize().MustSucceed();
        Assert.Empty(log.Quantized);
        Assert.Equal(["Tiny"], log.Downloaded);
        Assert.Empty(log.Uploaded);
        Assert.Empty(log.Warnings);
        Assert.Equal(File.ReadAllText(Assert.Single(project.Artifacts())), File.ReadAllText(Assert.Single(other.Artifacts())));

        // From now on the machine's own cache serves.
        Directory.Delete(other.InFolder("obj/masquant"), recursive: true);
        server.Requests.Clear();
        Assert.Equal(["Tiny"], other.Quantize().MustSucceed().Restored);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public void A_reader_uploads_nothing_and_a_writer_needs_no_folder()
    {
        using var server = new CacheServer();
        using var project = Open(server);
        project.Environment["MASQuantCache"] = "false";
        Assert.Empty(project.Quantize("-p:MASQuantRemoteCacheReadOnly=true").MustSucceed().Uploaded);
        Assert.All(server.Requests, request => Assert.StartsWith("GET ", request));

        Directory.Delete(project.InFolder("obj/masquant"), recursive: true);
        Assert.Equal(["Tiny"], project.Quantize().MustSucceed().Uploaded);
        Directory.Delete(project.InFolder("obj/masquant"), recursive: true);
        Assert.Equal(["Tiny"], project.Quantize().MustSucceed().Downloaded);
        Assert.Empty(project.Leftovers());
    }

    [Fact]
    public void An_upload_that_was_killed_is_made_up_for_by_another_clone_and_asked_for_once()
    {
        using var server = new CacheServer();
        using var project = Open(server);
        KillUploading(project, server);
        using var clone = BuildCase.Open("OneModel", sharing: project);
        clone.Environment["MASQuantRemoteCache"] = server.Address;
        var log = clone.Quantize().MustSucceed();
        Assert.Equal(("Tiny", "Tiny"), (Assert.Single(log.Restored), Assert.Single(log.Uploaded)));
        Assert.Equal(4, server.Stored.Count);

        server.Requests.Clear();
        log = project.Quantize().MustSucceed();
        Assert.Equal((1, 0), (log.QuantizeTasks, log.Uploaded.Count)); // it looks, and finds nothing due
        Assert.Equal(0, project.Quantize().MustSucceed().QuantizeTasks);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public void An_upload_that_was_killed_is_forgotten_with_its_server()
    {
        using var server = new CacheServer();
        using var project = Open(server);
        KillUploading(project, server);
        project.Environment["MASQuantRemoteCache"] = null;
        Assert.Empty(project.Quantize().MustSucceed().Uploaded);
        Assert.Equal(0, project.Quantize().MustSucceed().QuantizeTasks);
    }

    // The client's own tests go through more misbehaviours; here each kind of end once, on one project to save builds.
    [Fact]
    public void A_server_that_misbehaves_is_one_warning_and_the_build_is_right()
    {
        using var server = new CacheServer();
        using var project = Open(server);
        project.Quantize().MustSucceed();
        var right = File.ReadAllText(Assert.Single(project.Artifacts()));
        foreach (var manner in new[] { ServerManner.Silent, ServerManner.Fails, ServerManner.RedirectsToFile, ServerManner.Truncates, ServerManner.Swaps, ServerManner.StallsUploads })
        {
            if (manner == ServerManner.StallsUploads)
            {
                server.Stored.Clear();
            }

            server.Behaves = manner;
            Directory.Delete(project.Cache, recursive: true);
            Directory.Delete(project.InFolder("obj/masquant"), recursive: true);
            server.Requests.Clear();
            var log = project.Quantize("-warnaserror").MustSucceed(); // which reaches the project that quantizes, too
            Assert.Equal(("Tiny", manner), (Assert.Single(log.Quantized), manner));
            Assert.Equal([("MASQ0931", project.InFolder("OneModel.csproj"), manner)], log.Warnings.Select(warning => (warning.Code, warning.File, manner)));
            Assert.True(manner == ServerManner.StallsUploads || !server.Requests.Any(request => request.StartsWith("PUT ")), "After a failure the server is left alone.");
            Assert.Equal(right, File.ReadAllText(Assert.Single(project.Artifacts())));
            Assert.Empty(project.Leftovers());
        }
    }

    [Fact]
    public void A_whole_build_with_a_dead_server_gives_a_program_that_runs()
    {
        var server = new CacheServer();
        server.Dispose();
        using var project = Open(server);
        var log = project.Build().MustSucceed();
        Assert.Equal(["MASQ0931"], log.Warnings.Select(warning => warning.Code));
        Assert.Equal((0, "W4A8 64\n"), project.Run("dotnet", project.InFolder("bin/Debug/net10.0/OneModel.dll")));
    }

    [Fact]
    public void Several_models_and_frameworks_warn_once_and_no_token_is_logged()
    {
        using var server = new CacheServer { Behaves = ServerManner.Fails };
        using var project = BuildCase.Open("TwoModels");
        project.Write("other-model/config.json", "{}");
        project.Write("other-model/model.safetensors", "other weights");
        project.Environment["MASQuantRemoteCache"] = server.Address;
        project.Environment["MASQUANT_REMOTE_CACHE_TOKEN"] = "s3cret";
        var log = project.Quantize("-v:diagnostic", "-m:1").MustSucceed(); // models that ask at the same time cannot know of each other's trouble
        Assert.Equal(["Model", "OtherModel"], log.Quantized);
        Assert.Equal(["MASQ0931"], log.Warnings.Select(warning => warning.Code));
        Assert.Single(server.Requests); // Logs repeat warnings; but who would warn again would have to ask again.
        Assert.NotEmpty(server.Authorizations);
        Assert.DoesNotContain(log.Messages, message => message.Contains("s3cret"));
    }

    private static void KillUploading(BuildCase project, CacheServer server)
    {
        Directory.CreateDirectory(project.InFolder("obj")); // as restore does; without it the first answer is not remembered
        server.Behaves = ServerManner.StallsUploads;
        project.Environment["MASQuantRemoteCacheTimeout"] = "600";
        using var build = project.Start("dotnet", "msbuild", "-t:MASQuantQuantize", "-p:BuildingProject=true", "-nologo", "-nodeReuse:false");
        _ = build.StandardOutput.ReadToEndAsync();
        _ = build.StandardError.ReadToEndAsync();
        var began = server.Uploading.Wait(TimeSpan.FromMinutes(2));
        Assert.True(Command.Kill(build), "The build was over before the kill.");
        Assert.True(began);
        server.Behaves = ServerManner.Good;
    }

    private static BuildCase Open(CacheServer server)
    {
        var project = BuildCase.Open("OneModel");
        project.Environment["MASQuantRemoteCache"] = server.Address;
        project.Environment["MASQuantRemoteCacheTimeout"] = "2";
        return project;
    }
}
