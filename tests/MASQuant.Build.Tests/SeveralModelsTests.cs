namespace MASQuant.Build.Tests;

[Trait("Lane", "build")]
public class SeveralModelsTests
{
    [Fact]
    public void Of_two_models_only_the_changed_one_is_quantized_again()
    {
        using var project = Open();
        Assert.Equal(["Model", "OtherModel"], project.Build().MustSucceed().Quantized);
        project.Write("other-model/model.safetensors", "new weights");
        Assert.Equal(["OtherModel"], project.Build().MustSucceed().Quantized);
        Assert.Empty(project.Build().MustSucceed().Quantized);
    }

    [Fact]
    public void Target_frameworks_share_one_quantization()
    {
        using var project = BuildCase.Open("TwoFrameworks");
        project.Write("model/model.safetensors", "slow"); // so that the second framework asks before the first has its artifact
        var log = project.Build("-m").MustSucceed();
        Assert.Equal(["Tiny"], log.Quantized);
        Assert.Equal(1, log.QuantizeTasks);
        Assert.Equal(2, log.Compiled);
    }

    [Fact]
    public void Projects_and_their_target_frameworks_share_one_quantization()
    {
        using var project = BuildCase.Open("FourProjects");
        project.Write("model/model.safetensors", "slow"); // so that all ask before there is an artifact
        var log = project.Build("Four.slnx", "-m:8").MustSucceed();
        Assert.Equal(["Tiny"], log.Quantized);
        Assert.Equal(8, log.Compiled);
        Assert.Equal(8, Directory.GetFiles(project.Folder, "Tiny.masquant.safetensors", SearchOption.AllDirectories).Count(file => file.Contains("/bin/")));

        var again = project.Build("Four.slnx", "-m:8", "--no-restore").MustSucceed();
        Assert.Equal((0, 0, 0), (again.Quantized.Count, again.KeyTasks, again.Compiled));
    }

    [Fact]
    public void A_graph_build_in_isolation_works()
    {
        using var project = BuildCase.Open("TwoFrameworks");
        project.Dotnet("restore").MustSucceed();
        Assert.Equal(["Tiny"], project.Build("--no-restore", "-graph", "-isolate", "-m").MustSucceed().Quantized);
    }

    [Fact]
    public void Two_builds_at_once_quantize_once()
    {
        using var project = BuildCase.Open("OneModel");
        project.Write("model/model.safetensors", "slow");
        project.Dotnet("restore").MustSucceed();
        var logs = new BuildLog[2];
        Parallel.For(0, 2, i => logs[i] = project.Build("--no-restore", "-t:MASQuantQuantize", "-p:BuildingProject=true"));
        Assert.Single(logs.SelectMany(log => log.MustSucceed().Quantized));
    }

    [Fact]
    public void Two_models_of_one_name_are_an_error()
    {
        using var project = Open();
        var log = project.Build("-p:ModelName=Same");
        Assert.Equal([("MASQ0703", project.InFolder("TwoModels.csproj"))], log.Errors.Select(error => (error.Code, error.File)));
    }

    private static BuildCase Open()
    {
        var project = BuildCase.Open("TwoModels");
        project.Write("other-model/config.json", "{}");
        project.Write("other-model/model.safetensors", "other weights");
        return project;
    }
}
