using System.Security.Cryptography;

namespace MASQuant.Build.Tests;

/// <summary>When models are quantized and code is compiled, and when not.</summary>
[Trait("Lane", "build")]
public class IncrementalBuildTests
{
    private const string Artifact = "models/Tiny.masquant.safetensors";

    [Fact]
    public void The_second_build_does_nothing_and_the_artifact_stays()
    {
        using var project = BuildCase.Open("OneModel");
        Assert.Equal(["Tiny"], project.Build().MustSucceed().Quantized);
        for (var build = 2; build <= 3; build++)
        {
            var log = project.Build().MustSucceed();
            Assert.Empty(log.Quantized);
            Assert.Equal(0, log.Compiled);
            Assert.Equal(0, log.KeyTasks); // it takes a process
            Assert.True(File.Exists(Output(project, Artifact)));
        }
    }

    [Fact]
    public void The_application_finds_its_model()
    {
        using var project = BuildCase.Open("OneModel");
        project.Build().MustSucceed();
        Assert.Equal((0, "W4A8 64\n"), project.Run("dotnet", Output(project, "OneModel.dll")));
    }

    [Fact]
    public void Touched_inputs_change_nothing()
    {
        using var project = BuildCase.Open("OneModel");
        project.Build().MustSucceed();
        foreach (var input in new[] { "model/config.json", "model/model.safetensors", "data/calibration.jsonl", "data/picture.png" })
        {
            File.SetLastWriteTimeUtc(project.InFolder(input), DateTime.UtcNow);
        }

        var log = project.Build().MustSucceed();
        Assert.Empty(log.Quantized);
        Assert.Equal(0, log.Compiled);
    }

    [Fact]
    public void A_lost_artifact_is_made_again()
    {
        using var project = BuildCase.Open("OneModel");
        project.Build().MustSucceed();
        Directory.Delete(project.InFolder("obj/masquant"), recursive: true);
        project.Build().MustSucceed();
        Assert.True(File.Exists(Output(project, Artifact)));
        Assert.Single(Directory.EnumerateFiles(project.InFolder("obj/masquant"), "*.masquant.safetensors", SearchOption.AllDirectories));
    }

    [Fact]
    public void A_git_lfs_pointer_counts_as_the_file_that_it_stands_for()
    {
        using var project = BuildCase.Open("OneModel");
        project.Build().MustSucceed();
        var oid = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(project.InFolder("model/model.safetensors"))));
        project.Write("model/model.safetensors", $"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 7\n");
        Assert.Empty(project.Build().MustSucceed().Quantized);
    }

    /// <summary>The hub's cache is made of links, whose own size and time never change.</summary>
    [SkippableTheory]
    [InlineData("model/model.safetensors")]
    [InlineData("data/picture.png")]
    public void New_content_behind_a_link_is_quantized(string input)
    {
        Skip.If(OperatingSystem.IsWindows(), "Links need a privilege there.");
        using var project = BuildCase.Open("OneModel");
        project.Write("blobs/1", File.ReadAllText(project.InFolder(input)));
        File.Delete(project.InFolder(input));
        File.CreateSymbolicLink(project.InFolder(input), "../blobs/1");
        project.Build().MustSucceed();
        for (var build = 2; build <= 3; build++)
        {
            var log = project.Build().MustSucceed();
            Assert.Empty(log.Quantized);
            Assert.Equal(0, log.KeyTasks);
        }

        project.Write("blobs/1", "other content");
        Assert.Equal(["Tiny"], project.Build().MustSucceed().Quantized);
    }

    [Theory]
    [InlineData("model/model.safetensors")]
    [InlineData("model/model-2.safetensors")]
    [InlineData("data/calibration.jsonl")]
    [InlineData("data/picture.png")]
    public void New_content_is_quantized_however_old_the_file(string input)
    {
        using var project = BuildCase.Open("OneModel");
        project.Build().MustSucceed();
        project.Write(input, "other content");
        File.SetLastWriteTimeUtc(project.InFolder(input), new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal(["Tiny"], project.Build().MustSucceed().Quantized);
    }

    [Fact]
    public void An_option_there_and_back_gives_the_first_code_and_artifact_again()
    {
        using var project = BuildCase.Open("OneModel");
        project.Build("-p:Scheme=W4A8").MustSucceed();
        var first = File.ReadAllText(Output(project, Artifact));

        Assert.Equal(["Tiny"], project.Build("-p:Scheme=W8A8").MustSucceed().Quantized);
        Assert.NotEqual(first, File.ReadAllText(Output(project, Artifact)));
        Assert.Equal((0, "W8A8 64\n"), project.Run("dotnet", Output(project, "OneModel.dll")));

        Assert.Empty(project.Build("-p:Scheme=W4A8").MustSucceed().Quantized);
        Assert.Equal(first, File.ReadAllText(Output(project, Artifact)));
        Assert.Equal((0, "W4A8 64\n"), project.Run("dotnet", Output(project, "OneModel.dll")));
    }

    [Fact]
    public void Configurations_share_one_quantization()
    {
        using var project = BuildCase.Open("OneModel");
        Assert.Equal(["Tiny"], project.Build().MustSucceed().Quantized);
        Assert.Empty(project.Build("-c", "Release").MustSucceed().Quantized);
    }

    [Fact]
    public void Clean_removes_the_projects_store_and_not_the_shared_cache()
    {
        using var project = BuildCase.Open("OneModel");
        project.Build().MustSucceed();
        Assert.Empty(project.Dotnet("clean").MustSucceed().Quantized);
        Assert.False(Directory.Exists(project.InFolder("obj/masquant")));
        Assert.False(File.Exists(Output(project, Artifact)));
        var log = project.Build().MustSucceed();
        Assert.Empty(log.Quantized);
        Assert.Equal(["Tiny"], log.Restored);
    }

    private static string Output(BuildCase project, string file) => project.InFolder("bin/Debug/net10.0/" + file);
}
