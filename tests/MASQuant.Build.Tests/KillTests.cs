using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using MASQuant.Tests;
using Xunit.Abstractions;

namespace MASQuant.Build.Tests;

/// <summary>Builds that are killed without warning: the next one resumes, gives the same bytes as one that was left alone, and leaves nothing else behind.</summary>
public class KillTests(ITestOutputHelper output)
{
    private const int Seed = 1;

    [Theory]
    [InlineData("calibrate", "Block 2 of 3: measuring activations")]
    [InlineData("smooth", "Block 2 of 3: learning smoothing factors")]
    [InlineData("quantize", "Block 2 of 3: quantizing weights")]
    [InlineData("compensate", "Block 2 of 3: fitting low-rank patches")]
    [InlineData("write", "Writing the artifact.")]
    public void A_build_that_is_killed_in_a_stage_is_resumed(string stage, string message)
    {
        using var project = Open();
        Assert.True(Kill(project, line => line.Contains(message), Timeout.InfiniteTimeSpan), $"{stage} was over before the kill.");
        var log = Resume(project);
        Assert.Equal(["Tiny"], log.Quantized);
        Assert.Contains(log.Messages, text => text.Contains("Block 1 of 3: finished by an earlier run"));
        Assert.Equal(Undisturbed.Value, Result(project));
    }

    [Fact]
    public void A_build_that_is_killed_while_it_uploads_has_its_model_and_uploads_it_next_time()
    {
        using var server = new CacheServer { Behaves = ServerManner.StallsUploads };
        using var project = Open();
        project.Environment["MASQuantRemoteCache"] = server.Address;
        project.Environment["MASQuantRemoteCacheTimeout"] = "600";
        using var build = Start(project);
        _ = build.StandardOutput.ReadToEndAsync();
        Assert.True(server.Uploading.Wait(TimeSpan.FromMinutes(2)));
        build.Kill(entireProcessTree: true);
        build.WaitForExit();

        server.Behaves = ServerManner.Good;
        var log = Resume(project);
        Assert.Empty(log.Quantized);
        Assert.Equal(["Tiny"], log.Uploaded);
        Assert.Single(server.Stored.Keys, place => place.StartsWith("ac/", StringComparison.Ordinal)); // the last of an upload
        Assert.Equal(Undisturbed.Value, Result(project));
        Assert.Equal(0, Resume(project).QuantizeTasks);
    }

    /// <summary>MASQUANT_KILL_POINTS says how many points are tried; continuous integration takes a few.</summary>
    [Fact]
    public void A_build_that_is_killed_anywhere_is_resumed()
    {
        var points = int.Parse(Environment.GetEnvironmentVariable("MASQUANT_KILL_POINTS") ?? "2", CultureInfo.InvariantCulture);
        var random = new Random(Seed);
        using var project = Open();
        var whole = Stopwatch.StartNew();
        Assert.False(Kill(project, _ => false, Timeout.InfiniteTimeSpan));
        var duration = whole.Elapsed;
        for (var point = 0; point < points; point++)
        {
            Forget(project);
            var after = duration * random.NextDouble();
            var killed = Kill(project, _ => false, after);
            var log = Resume(project);
            output.WriteLine(FormattableString.Invariant(
                $"{point + 1}: {(killed ? "killed" : "done before the kill")} after {after.TotalSeconds:F2} of {duration.TotalSeconds:F2} s, {log.Messages.Count(text => text.Contains("finished by an earlier run"))} blocks resumed"));
            Assert.Equal(Undisturbed.Value, Result(project));
        }
    }

    private static readonly Lazy<string> Undisturbed = new(() =>
    {
        using var project = Open();
        project.Quantize("-p:Folder=" + RepositoryFiles.VlTiny).MustSucceed();
        return Result(project);
    });

    private static BuildCase Open()
    {
        var project = BuildCase.OpenReal("OneModel");
        File.Copy(RepositoryFiles.Data("media/calib-ocr-000.png"), project.InFolder("data/picture.png"), overwrite: true);
        project.Write("data/calibration.jsonl", """
            {"messages": [{"role": "user", "content": [{"type": "image", "image": "picture.png"}, {"type": "text", "text": "Read the digits."}]}, {"role": "assistant", "content": "1 2"}]}
            """);
        return project;
    }

    private static void Forget(BuildCase project)
    {
        foreach (var folder in new[] { project.Cache, project.InFolder("obj") }.Where(Directory.Exists))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Process Start(BuildCase project)
        => project.Start("dotnet", "msbuild", "-t:MASQuantQuantize", "-p:BuildingProject=true", "-p:Folder=" + RepositoryFiles.VlTiny, "-nologo", "-nodeReuse:false", "-tl:off", "-v:detailed");

    // Whether the build was killed before its end. SIGKILL, to MSBuild and the process that runs the task.
    private static bool Kill(BuildCase project, Func<string, bool> cue, TimeSpan after)
    {
        using var build = Start(project);
        var killed = false;
        void End()
        {
            killed = !build.HasExited;
            build.Kill(entireProcessTree: true);
        }

        using var timer = after == Timeout.InfiniteTimeSpan ? null : new Timer(_ => End(), null, after, Timeout.InfiniteTimeSpan);
        _ = build.StandardError.ReadToEndAsync();
        while (build.StandardOutput.ReadLine() is { } line)
        {
            if (cue(line))
            {
                End();
                break;
            }
        }

        build.WaitForExit();
        return killed;
    }

    private static BuildLog Resume(BuildCase project)
    {
        var log = project.Quantize("-p:Folder=" + RepositoryFiles.VlTiny, "-v:detailed").MustSucceed();
        Assert.DoesNotContain(log.Messages, text => text.Contains(": waiting for another build")); // all of it was killed
        Assert.Empty(log.Warnings);
        Assert.Empty(project.Leftovers());
        return log;
    }

    private static string Result(BuildCase project)
    {
        var artifact = Assert.Single(project.Artifacts());
        return Convert.ToHexStringLower(SHA256.HashData([.. File.ReadAllBytes(artifact), .. File.ReadAllBytes(Path.ChangeExtension(artifact, ".json"))]));
    }
}
