namespace MASQuant.Build.Tests;

/// <summary>Artifacts reach whatever is deployed.</summary>
public class PublishTests
{
    private const string Artifact = "models/Tiny.masquant.safetensors";

    [Fact]
    public void Publishing_what_was_built_brings_the_artifact()
    {
        using var project = BuildCase.Open("OneModel");
        project.Build("-c", "Release").MustSucceed();
        var log = project.Dotnet("publish", "--no-build", "-o", "published").MustSucceed();
        Assert.Empty(log.Quantized);
        Assert.True(File.Exists(project.InFolder("published/" + Artifact)));
    }

    [Fact]
    public void A_single_file_leaves_the_artifact_beside_itself()
    {
        using var project = BuildCase.Open("OneModel");
        project.Dotnet("publish", "--use-current-runtime", "--no-self-contained", "-p:PublishSingleFile=true", "-p:IncludeAllContentForSelfExtract=true", "-o", "published").MustSucceed();
        Assert.True(File.Exists(project.InFolder("published/" + Artifact)));
        Assert.Equal((0, "W4A8 64\n"), project.Run(project.InFolder("published/OneModel")));
    }

    [Fact]
    public void An_application_gets_the_models_of_the_libraries_it_references()
    {
        using var project = BuildCase.Open("ReferencedLibrary");
        Assert.Equal(["Tiny"], project.Build("App").MustSucceed().Quantized);
        Assert.Equal((0, "True\n"), project.Run("dotnet", project.InFolder("App/bin/Debug/net10.0/App.dll")));
    }
}
