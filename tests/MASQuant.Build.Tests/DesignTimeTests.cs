using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Options;
using MASQuant.Tests;

namespace MASQuant.Build.Tests;

/// <summary>What editors get without a build.</summary>
[Trait("Lane", "build")]
public class DesignTimeTests
{
    [Fact]
    public void A_manifest_is_planned_and_nothing_quantized()
    {
        using var project = Open();
        var log = project.Dotnet("msbuild", "-restore", "-t:Compile", "-p:DesignTimeBuild=true", "-p:SkipCompilerExecution=true", "-p:ProvideCommandLineArgs=true").MustSucceed();
        Assert.Empty(log.Quantized);
        Assert.Empty(log.Warnings);

        var file = Assert.Single(Directory.EnumerateFiles(project.InFolder("obj/masquant"), "*.masquant.json", SearchOption.AllDirectories));
        var plan = ManifestFile.Read(file);
        Assert.Equal((false, "Tiny", "Qwen25VL", 3), (plan.Quantized, plan.Name, plan.Model.Family, plan.Layers.Count));
        Assert.Equal(("mlp.down_proj", 128, 256, new QuantizationOptions().Rank), (plan.Layers[2].Linears[6].Name, plan.Layers[2].Linears[6].Outputs, plan.Layers[2].Linears[6].Inputs, (int?)plan.Layers[2].Linears[6].Ranks["Vision"]));
        Assert.Contains(Path.GetFileName(file), File.ReadAllText(Directory.EnumerateFiles(project.InFolder("obj"), "*.editorconfig", SearchOption.AllDirectories).Single()));
    }

    [Fact]
    public void Weights_of_another_model_are_a_warning_and_the_configuration_does()
    {
        using var project = Open();
        project.Write("model/config.json", File.ReadAllText(project.InFolder("model/config.json")).Replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4"));
        for (var time = 0; time < 2; time++)
        {
            var log = project.Dotnet("msbuild", "-restore", "-t:Compile", "-p:DesignTimeBuild=true", "-p:SkipCompilerExecution=true", "-p:TreatWarningsAsErrors=false").MustSucceed();
            var (code, _, text) = Assert.Single(log.Warnings);
            Assert.Equal("MASQ0107", code);
            Assert.Contains("model.layers.3.self_attn.q_proj.weight", text);
        }

        Assert.Equal(4, ManifestFile.Read(Assert.Single(Directory.EnumerateFiles(project.InFolder("obj/masquant"), "*.masquant.json", SearchOption.AllDirectories))).Layers.Count);
    }

    /// <summary>What a run would refuse, editors warn of.</summary>
    [Fact]
    public void A_head_that_is_missing_is_a_warning()
    {
        using var project = Open();
        project.Write("model/config.json", File.ReadAllText(project.InFolder("model/config.json")).Replace("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false"));
        var log = project.Dotnet("msbuild", "-restore", "-t:Compile", "-p:DesignTimeBuild=true", "-p:SkipCompilerExecution=true", "-p:TreatWarningsAsErrors=false").MustSucceed();
        var (code, _, text) = Assert.Single(log.Warnings);
        Assert.Equal("MASQ0107", code);
        Assert.Contains("set tie_word_embeddings to true", text);
    }

    [Fact]
    public void A_chat_template_that_is_not_known_is_a_warning()
    {
        using var project = Open();
        project.Write("model/chat_template.jinja", "{{ messages }}");
        var log = project.Dotnet("msbuild", "-restore", "-t:Compile", "-p:DesignTimeBuild=true", "-p:SkipCompilerExecution=true", "-p:TreatWarningsAsErrors=false").MustSucceed();
        var (code, file, _) = Assert.Single(log.Warnings);
        Assert.Equal(("MASQ0207", project.InFolder("model/chat_template.jinja")), (code, file));
    }

    [Fact]
    public void Weights_not_yet_fetched_are_no_warning()
    {
        using var project = Open();
        project.Write("model/model.safetensors", $"version https://git-lfs.github.com/spec/v1\noid sha256:{new string('a', 64)}\nsize 7\n");
        var log = project.Dotnet("msbuild", "-restore", "-t:Compile", "-p:DesignTimeBuild=true", "-p:SkipCompilerExecution=true").MustSucceed();
        Assert.Empty(log.Warnings);
        Assert.Equal(3, ManifestFile.Read(Assert.Single(Directory.EnumerateFiles(project.InFolder("obj/masquant"), "*.masquant.json", SearchOption.AllDirectories))).Layers.Count);
    }

    [Fact]
    public void A_wrong_item_is_a_warning()
    {
        using var project = Open();
        var log = project.Dotnet("msbuild", "-restore", "-t:Compile", "-p:DesignTimeBuild=true", "-p:SkipCompilerExecution=true", "-p:Calibration=absent.jsonl", "-p:TreatWarningsAsErrors=false").MustSucceed();
        Assert.Equal(["MASQ0702"], log.Warnings.Select(warning => warning.Code));
    }

    [Fact]
    public void Up_to_date_checks_see_every_input()
    {
        using var project = Open();
        project.Write("model/model-2.safetensors", "more");
        var (exitCode, output) = project.Run("dotnet", "msbuild", "-t:MASQuantCollectUpToDateCheckInput", "-getItem:UpToDateCheckInput");
        Assert.Equal(0, exitCode);
        Assert.All(["config.json", "model.safetensors", "model-2.safetensors", "calibration.jsonl", "picture.png"], file => Assert.Contains($"/{file}\"", output));
    }

    private static BuildCase Open()
    {
        var project = BuildCase.Open("OneModel");
        foreach (var file in Directory.EnumerateFiles(RepositoryFiles.VlTiny))
        {
            File.Copy(file, project.InFolder("model/" + Path.GetFileName(file)), overwrite: true);
        }

        return project;
    }
}
