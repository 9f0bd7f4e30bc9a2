using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using MASQuant.Quantization.Facts;
using MASQuant.Tests;
using Xunit.Abstractions;

namespace MASQuant.Build.Tests;

/// <summary>Builds that are killed without warning: the next one resumes, gives the same bytes as one that was left alone, and leaves nothing else behind.</summary>
[Trait("Lane", "kill")]
public class KillTests(ITestOutputHelper output)
{
    private const int Seed = 1;
    private const int MostLate = 5; // kills that come after the build's end, before the test gives up
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2); // for a busy machine; an idle one takes seconds

    /// <summary>The build stands still where it is killed, so what it had finished is known.</summary>
    [Theory]
    [InlineData(QuantizationStage.Calibrate, 1, 1)]
    [InlineData(QuantizationStage.Smooth, 1, 1)]
    [InlineData(QuantizationStage.Quantize, 1, 1)]
    [InlineData(QuantizationStage.Compensate, 1, 1)]
    [InlineData(QuantizationStage.Write, -1, 3)]
    public void A_build_that_is_killed_in_a_stage_is_resumed(QuantizationStage stage, int layer, int finished)
    {
        using var project = Open();
        var sign = project.InFolder("stands-still");
        project.Environment["MASQUANT_TEST_STOP"] = $"{stage} {layer} {sign}";
        using var build = Start(project, "-p:MASQuantTasksAssembly=" + BuildCase.StandIn);
        _ = build.StandardOutput.ReadToEndAsync();
        _ = build.StandardError.ReadToEndAsync();
        Assert.True(SpinWait.SpinUntil(() => File.Exists(sign) || build.HasExited, Patience));
        Assert.True(Command.Kill(build), "The build was over before the kill.");

        var log = Resume(project);
        Assert.Equal(["Tiny"], log.Quantized);
        Assert.Equal(finished, log.ResumedBlocks);
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
        Assert.True(server.Uploading.Wait(Patience));
        Assert.True(Command.Kill(build), "The build was over before the kill.");

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
        var duration = Whole(project);
        for (var (point, late) = (0, 0); point < points;)
        {
            Forget(project);
            var after = duration * random.NextDouble();
            if (!TryKill(project, after))
            {
                Assert.True(++late < MostLate, $"{late} builds were over before the kill.");
                continue; // another point: this one lies behind the end of a build that was faster than the first
            }

            var log = Resume(project);
            Assert.Equal(Undisturbed.Value, Result(project));
            output.WriteLine(FormattableString.Invariant($"{++point}: killed after {after.TotalSeconds:F2} of {duration.TotalSeconds:F2} s, {log.ResumedBlocks} blocks resumed"));
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

    private static Process Start(BuildCase project, params string[] arguments)
        => project.Start("dotnet", ["msbuild", "-t:MASQuantQuantize", "-p:BuildingProject=true", "-p:Folder=" + RepositoryFiles.VlTiny, "-nologo", "-nodeReuse:false", .. arguments]);

    // Whether the build was killed before its end.
    private static bool TryKill(BuildCase project, TimeSpan after)
    {
        using var build = Start(project);
        _ = build.StandardOutput.ReadToEndAsync();
        _ = build.StandardError.ReadToEndAsync();
        return !build.WaitForExit(after) && Command.Kill(build);
    }

    // How long a build takes that nobody kills.
    private static TimeSpan Whole(BuildCase project)
    {
        var start = Stopwatch.GetTimestamp();
        Assert.False(TryKill(project, Timeout.InfiniteTimeSpan));
        return Stopwatch.GetElapsedTime(start);
    }

    private static BuildLog Resume(BuildCase project)
    {
        var log = project.Quantize("-p:Folder=" + RepositoryFiles.VlTiny).MustSucceed();
        Assert.Empty(log.Waiting); // all of it was killed
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
