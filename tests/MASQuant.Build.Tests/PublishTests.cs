namespace MASQuant.Build.Tests;

/// <summary>Artifacts reach whatever is deployed.</summary>
[Trait("Lane", "build")]
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

    [SkippableFact]
    public void An_artifact_larger_than_an_assembly_can_be_is_published_beside_a_single_file()
    {
        const long Bytes = 2_300_000_000; // as StandIn writes it, without content
        Skip.If(new DriveInfo(Path.GetTempPath()).AvailableFreeSpace < 5 * Bytes, "The disk lacks room for copies.");
        using var project = BuildCase.Open("OneModel");
        project.Write("model/model.safetensors", "large");
        string[] links = ["-p:CreateHardLinksForAdditionalFilesIfPossible=true", "-p:CreateHardLinksForPublishFilesIfPossible=true"]; // or the test waits for the disk
        project.Dotnet("publish", ["--use-current-runtime", "--no-self-contained", "-p:PublishSingleFile=true", "-p:IncludeAllContentForSelfExtract=true", "-o", "published", "-p:MASQuantCache=false", .. links]).MustSucceed();
        Assert.Equal(Bytes, new FileInfo(project.InFolder("published/" + Artifact)).Length);
        Assert.Equal((0, "W4A8 64\n"), project.Run(project.InFolder("published/OneModel")));
    }

    /// <summary>Whatever a deployment looks like, the artifact is beside it.</summary>
    [SkippableTheory]
    [InlineData("--no-self-contained")]
    [InlineData("--self-contained")]
    [InlineData("-p:PublishReadyToRun=true")]
    public void A_published_application_finds_its_model(string kind)
    {
        using var project = BuildCase.Open("OneModel");
        var log = project.Dotnet("publish", "--use-current-runtime", kind, "-o", "published");
        var pack = log.Errors.FirstOrDefault(error => error.Code is "NU1101" or "NU1102" or "NETSDK1094");
        Skip.If(pack.Code is not null, "The SDK's packs cannot be restored here: " + pack.Text);
        Assert.Equal(["Tiny"], log.MustSucceed().Quantized);
        Directory.Move(project.InFolder("published"), project.InFolder("elsewhere"));
        Assert.Equal((0, "W4A8 64\n"), project.Run(project.InFolder("elsewhere/OneModel")));
        Assert.True(File.Exists(project.InFolder("elsewhere/" + Artifact)));
    }

    /// <summary>For systems that are not this one: the host's first bytes are those of a program of theirs.</summary>
    [SkippableTheory]
    [InlineData("win-x64", "OneModel.exe", "4D5A")] // MZ
    [InlineData("osx-arm64", "OneModel", "CFFAEDFE0C000001")] // Mach-O of 64 bits, CPU_TYPE_ARM64
    [InlineData("linux-arm64", "OneModel", "7F454C4602")] // ELF of 64 bits
    [InlineData("linux-musl-x64", "OneModel", "7F454C4602")]
    public void An_application_is_published_for_another_system(string system, string host, string magic)
    {
        using var project = BuildCase.Open("OneModel");
        var log = project.Dotnet("publish", "-r", system, "--no-self-contained", "-o", "published");
        var pack = log.Errors.FirstOrDefault(error => error.Code is "NU1101" or "NU1102" or "NETSDK1094");
        Skip.If(pack.Code is not null, "The SDK's packs cannot be restored here: " + pack.Text);
        log.MustSucceed();
        Assert.Equal(magic, Convert.ToHexString(File.ReadAllBytes(project.InFolder("published/" + host)).AsSpan(0, magic.Length / 2)));
        Assert.True(File.Exists(project.InFolder("published/MASQuant.Engine.dll")));
        Assert.True(File.Exists(project.InFolder("published/" + Artifact)));
    }

    [Fact]
    public void An_application_gets_the_models_of_the_libraries_it_references()
    {
        using var project = BuildCase.Open("ReferencedLibrary");
        Assert.Equal(["Tiny"], project.Build("App").MustSucceed().Quantized);
        Assert.Equal((0, "True\n"), project.Run("dotnet", project.InFolder("App/bin/Debug/net10.0/App.dll")));
    }
}
