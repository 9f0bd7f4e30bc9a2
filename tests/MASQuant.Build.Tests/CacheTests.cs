using System.Security.Cryptography;
using MASQuant.Tests;

namespace MASQuant.Build.Tests;

/// <summary>What projects, clones and configurations take from each other.</summary>
[Trait("Lane", "build")]
public class CacheTests
{
    private const string Artifact = "bin/Debug/net10.0/models/Tiny.masquant.safetensors";

    [Fact]
    public void A_second_clone_and_a_cleaned_first_quantize_nothing()
    {
        using var project = BuildCase.Open("OneModel");
        Assert.Equal(["Tiny"], project.Build().MustSucceed().Quantized);
        using var clone = BuildCase.Open("OneModel", sharing: project);
        var log = clone.Quantize().MustSucceed();
        Assert.Empty(log.Quantized);
        Assert.Equal(["Tiny"], log.Restored);
        Assert.Equal(File.ReadAllText(project.InFolder(Artifact)), File.ReadAllText(Assert.Single(clone.Artifacts())));

        // git clean -xfd
        Directory.Delete(project.InFolder("obj"), recursive: true);
        Directory.Delete(project.InFolder("bin"), recursive: true);
        log = project.Build().MustSucceed();
        Assert.Empty(log.Quantized);
        Assert.Equal(["Tiny"], log.Restored);
        Assert.Equal((0, "W4A8 64\n"), project.Run("dotnet", project.InFolder("bin/Debug/net10.0/OneModel.dll")));
        Assert.Empty(project.Leftovers());
    }

    /// <summary>The command line's options are the item's metadata, so equal ones have equal keys.</summary>
    [Fact]
    public void What_the_command_line_quantized_no_build_quantizes_again()
    {
        using var project = BuildCase.OpenReal("OneModel");
        File.Copy(RepositoryFiles.Data("media/calib-ocr-000.png"), project.InFolder("data/picture.png"), overwrite: true);
        project.Write("data/calibration.jsonl", """
            {"messages": [{"role": "user", "content": [{"type": "image", "image": "picture.png"}, {"type": "text", "text": "Read the digits."}]}, {"role": "assistant", "content": "1 2"}]}
            """);
        var command = BuildCase.Built("src/Cli", "MASQuant.Cli.dll");
        void Quantize(string scheme)
        {
            var (exitCode, output) = project.Run("dotnet", command, "quantize", RepositoryFiles.VlTiny, "--name", "Tiny", "--scheme", scheme, "--calibration", "data/calibration.jsonl", "--output", scheme);
            Assert.True(exitCode == 0, output);
        }

        Quantize("W8A8");

        var log = project.Quantize("-p:Folder=" + RepositoryFiles.VlTiny, "-p:Scheme=W8A8").MustSucceed();
        Assert.Empty(log.Quantized);
        Assert.Equal(["Tiny"], log.Restored);
        Assert.Equal(File.ReadAllBytes(project.InFolder("W8A8/Tiny.masquant.safetensors")), File.ReadAllBytes(Assert.Single(project.Artifacts())));

        Assert.Equal(["Tiny"], project.Quantize("-p:Folder=" + RepositoryFiles.VlTiny, "-p:Scheme=W4A8").MustSucceed().Quantized);
        Quantize("W4A8");
        Assert.Equal("2 0 2", File.ReadAllText(Path.Combine(project.Cache, "counters")).Trim());
    }

    [Fact]
    public void With_a_warm_cache_pointers_stand_for_weights()
    {
        using var project = BuildCase.Open("OneModel");
        project.Quantize().MustSucceed();
        using var clone = BuildCase.Open("OneModel", sharing: project);
        foreach (var file in new[] { "model/model.safetensors", "data/picture.png" })
        {
            var content = File.ReadAllBytes(clone.InFolder(file));
            clone.Write(file, $"version https://git-lfs.github.com/spec/v1\noid sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}\nsize {content.Length}\n");
        }

        var log = clone.Quantize().MustSucceed();
        Assert.Empty(log.Quantized);
        Assert.Equal(["Tiny"], log.Restored);
        Assert.Equal(File.ReadAllText(Assert.Single(project.Artifacts())), File.ReadAllText(Assert.Single(clone.Artifacts())));
    }

    [Fact]
    public void Two_clones_at_once_quantize_once()
    {
        using var project = BuildCase.Open("OneModel");
        using var clone = BuildCase.Open("OneModel", sharing: project);
        BuildCase[] both = [project, clone];
        foreach (var one in both)
        {
            one.Write("model/model.safetensors", "slow");
        }

        var logs = new BuildLog[2];
        Parallel.For(0, 2, i => logs[i] = both[i].Quantize());
        Assert.Single(logs.SelectMany(log => log.MustSucceed().Quantized));
        Assert.Single(logs.SelectMany(log => log.Restored));
    }

    [Fact]
    public void The_projects_store_holds_the_current_models_only()
    {
        using var project = BuildCase.Open("OneModel");
        project.Quantize("-p:Scheme=W4A8").MustSucceed();
        project.Quantize("-p:Configuration=Release", "-p:Scheme=W8A8").MustSucceed();
        Assert.Equal(2, project.Artifacts().Length); // one for each configuration

        Assert.Equal(["Tiny"], project.Quantize("-p:Scheme=W4A16").MustSucceed().Quantized);
        Assert.Equal(2, project.Artifacts().Length);

        var back = project.Quantize("-p:Scheme=W4A8").MustSucceed();
        Assert.Empty(back.Quantized);
        Assert.Equal(["Tiny"], back.Restored);
        Assert.Equal(2, project.Artifacts().Length);
        Assert.Empty(project.Quantize("-p:Configuration=Release", "-p:Scheme=W8A8").MustSucceed().Restored);
    }

    [Fact]
    public void Without_a_cache_the_project_keeps_all_of_its_own()
    {
        using var project = BuildCase.Open("OneModel");
        project.Environment["MASQuantCache"] = "false";
        project.Quantize("-p:Scheme=W4A8").MustSucceed();
        project.Quantize("-p:Scheme=W8A8").MustSucceed();
        Assert.Equal(2, project.Artifacts().Length);
        var back = project.Quantize("-p:Scheme=W4A8").MustSucceed();
        Assert.Empty(back.Quantized);
        Assert.Empty(back.Restored);
        Assert.False(Directory.Exists(project.Cache));
        Assert.Empty(project.Leftovers());
    }

    [Fact]
    public void A_damaged_entry_is_a_warning_and_made_again()
    {
        using var project = BuildCase.Open("OneModel");
        project.Quantize().MustSucceed();
        var right = File.ReadAllText(Assert.Single(project.Artifacts()));
        foreach (var content in Directory.EnumerateFiles(Path.Combine(project.Cache, "cas")))
        {
            var bytes = File.ReadAllBytes(content);
            bytes[^1] ^= 1;
            File.WriteAllBytes(content, bytes);
        }

        Directory.Delete(project.InFolder("obj/masquant"), recursive: true);
        var log = project.Quantize("-warnaserror").MustSucceed(); // which reaches the project that quantizes, too
        Assert.Equal(["Tiny"], log.Quantized);
        Assert.Equal([("MASQ0933", project.InFolder("OneModel.csproj"))], log.Warnings.Select(warning => (warning.Code, warning.File)));
        Assert.Equal(right, File.ReadAllText(Assert.Single(project.Artifacts())));
    }

    [Fact]
    public void A_cache_that_cannot_be_used_is_a_warning()
    {
        using var project = BuildCase.Open("OneModel");
        File.WriteAllText(project.Cache, "a file where the folder should be");
        var log = project.Quantize().MustSucceed();
        Assert.Equal(["Tiny"], log.Quantized);
        Assert.Equal(["MASQ0930"], log.Warnings.Select(warning => warning.Code));
        Assert.Single(project.Artifacts());
        Assert.Empty(project.Leftovers());
    }

    [Fact]
    public void The_limit_holds_after_a_build()
    {
        using var project = BuildCase.Open("OneModel");
        project.Environment["MASQuantCacheMaxBytes"] = "1000"; // the stand-in's artifact and manifest have about 1000 bytes each
        project.Quantize("-p:Scheme=W4A8").MustSucceed();
        project.Quantize("-p:Scheme=W8A8").MustSucceed();
        Assert.Single(Directory.EnumerateFiles(Path.Combine(project.Cache, "ac")));
        Assert.Equal(["Tiny"], project.Quantize("-p:Scheme=W4A8").MustSucceed().Quantized);
    }

    /// <summary>Not only global properties and environment variables, which every project sees by itself.</summary>
    [Fact]
    public void Settings_of_a_project_file_reach_the_project_that_quantizes()
    {
        using var project = BuildCase.Open("OneModel");
        var text = File.ReadAllText(project.InFolder("OneModel.csproj"));
        foreach (var name in new[] { "MASQuantCache", "MASQuantCacheMaxBytes", "MASQuantRemoteCache", "MASQuantRemoteCacheReadOnly", "MASQuantRemoteCacheTimeout" })
        {
            project.Write("OneModel.csproj", text.Replace("</PropertyGroup>", $"<{name}>no such value</{name}></PropertyGroup>"));
            var (code, _, message) = Assert.Single(project.Quantize().Errors);
            Assert.Equal("MASQ0932", code);
            Assert.EndsWith($"the property {name}.", message[..(message.IndexOf(". Allowed", StringComparison.Ordinal) + 1)], StringComparison.Ordinal);
        }

        project.Write("OneModel.csproj", text.Replace("</PropertyGroup>", "<MASQuantCacheDirectory>elsewhere</MASQuantCacheDirectory></PropertyGroup>"));
        project.Quantize().MustSucceed();
        Assert.Single(Directory.EnumerateFiles(project.InFolder("elsewhere/ac")));
        Assert.False(Directory.Exists(project.Cache));
    }

    [Fact]
    public void A_wrong_setting_is_an_error_of_the_project()
    {
        using var project = BuildCase.Open("OneModel");
        var log = project.Quantize("-p:MASQuantRemoteCache=file:///etc");
        Assert.NotEqual(0, log.ExitCode);
        Assert.Equal([("MASQ0932", project.InFolder("OneModel.csproj"))], log.Errors.Select(error => (error.Code, error.File)));
    }
}
