namespace MASQuant.Build.Tests;

/// <summary>What a build says of items and files that are wrong: a code, the file, and no artifact.</summary>
[Trait("Lane", "build")]
public class DiagnosticsTests
{
    [Theory]
    [InlineData("MASQ0701", "Folder=absent", "OneModel.csproj")]
    [InlineData("MASQ0702", "Calibration=", "OneModel.csproj")]
    [InlineData("MASQ0702", "Calibration=absent.jsonl", "OneModel.csproj")]
    [InlineData("MASQ0502", "Scheme=W3A3", "OneModel.csproj")]
    [InlineData("MASQ0502", "PackModel=maybe", "OneModel.csproj")]
    [InlineData("MASQ0516", "Compute=Torch:cpu", "OneModel.csproj")]
    public void A_wrong_item_is_an_error_of_the_project(string code, string property, string file)
    {
        using var project = BuildCase.Open("OneModel");
        var log = project.Build("-p:" + property);
        Assert.NotEqual(0, log.ExitCode);
        Assert.Equal([(code, project.InFolder(file))], log.Errors.Select(error => (error.Code, error.File)));
    }

    [Fact]
    public void Without_the_runtime_there_is_one_error_and_no_work()
    {
        using var project = BuildCase.Open("OneModel");
        project.RemoveRuntime();
        var log = project.Build();
        Assert.NotEqual(0, log.ExitCode);
        Assert.Equal([("MASQ0707", project.InFolder("OneModel.csproj"))], log.Errors.Select(error => (error.Code, error.File)));
        Assert.Contains("dotnet add package MASQuant.Runtime", log.Errors[0].Text, StringComparison.Ordinal);
        Assert.Equal((0, 0), (log.KeyTasks, log.QuantizeTasks));
        Assert.Equal(0, project.Dotnet("pack", "-p:TreatWarningsAsErrors=false").QuantizeTasks); // which keys models first
        Assert.Equal(["Tiny"], project.Quantize().MustSucceed().Quantized); // what a build server runs compiles nothing
    }

    [Theory]
    [InlineData("hostile", "MASQ0104", "model/model.safetensors")]
    [InlineData("crash", "MASQ0706", "model")]
    public void A_failure_names_the_file_and_leaves_nothing_behind(string weights, string code, string file)
    {
        using var project = BuildCase.Open("OneModel");
        project.Write("model/model.safetensors", weights);
        var log = project.Build();
        Assert.NotEqual(0, log.ExitCode);
        Assert.Equal([(code, project.InFolder(file))], log.Errors.Select(error => (error.Code, error.File)));
        var unfinished = Path.Combine(project.Cache, "work") + Path.DirectorySeparatorChar; // what the next run resumes from, or clears
        Assert.DoesNotContain(
            Directory.EnumerateFiles(project.Folder, "*.masquant.safetensors", SearchOption.AllDirectories),
            file => !file.StartsWith(unfinished, StringComparison.Ordinal));
        Assert.All(["ac", "cas"], folder => Assert.False(Directory.Exists(Path.Combine(project.Cache, folder))));

        project.Write("model/model.safetensors", "weights");
        Assert.Equal(["Tiny"], project.Build().MustSucceed().Quantized);
    }

    [Theory]
    [InlineData("", "MASQ0708")]
    [InlineData("false")]
    public void A_package_without_its_model_says_so_unless_that_is_meant(string pack, params string[] codes)
    {
        using var project = BuildCase.Open("OneModel");
        var log = project.Dotnet("pack", "-p:TreatWarningsAsErrors=false", "-p:PackModel=" + pack).MustSucceed();
        Assert.Equal(codes.Select(code => (code, project.InFolder("OneModel.csproj"))), log.Warnings.Select(warning => (warning.Code, warning.File)));
    }

    [Fact]
    public void A_misspelt_metadata_is_a_warning_that_names_the_closest()
    {
        using var project = BuildCase.Open("OneModel");
        var log = project.Build("-p:Schme=W8A8", "-p:TreatWarningsAsErrors=false").MustSucceed();
        var warning = Assert.Single(log.Warnings);
        Assert.Equal(("MASQ0704", project.InFolder("OneModel.csproj")), (warning.Code, warning.File));
        Assert.Contains("'Scheme'", warning.Text);
        Assert.Single(project.Build("-p:Schme=W8A8", "-p:TreatWarningsAsErrors=false").MustSucceed().Warnings); // as long as it is misspelt
    }
}
