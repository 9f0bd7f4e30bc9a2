using MASQuant.Tests;

namespace MASQuant.Build.Tests;

/// <summary>A user's targets run where docs/build-integration.md says.</summary>
[Trait("Lane", "build")]
public class HookTests
{
    private const string Mark = "hook: ";

    [Fact]
    public void Hooks_run_around_prepare_and_quantize_in_every_build()
    {
        using var project = BuildCase.Open("Hooks");
        Assert.Equal(["before prepare", "after prepare: Tiny", "before quantize, missing: Tiny", "after quantize, there: Tiny"], Hooks(project.Build().MustSucceed()));
        Assert.Equal(["before prepare", "after prepare: Tiny", "before quantize, missing: ", "after quantize, there: Tiny"], Hooks(project.Build().MustSucceed()));
    }

    [Fact]
    public void Editors_quantize_nothing_and_run_no_hook_of_it()
    {
        using var project = BuildCase.Open("Hooks");
        Folders.Copy(RepositoryFiles.VlTiny, project.InFolder("model"));
        Assert.Equal(["before prepare", "after prepare: Tiny"], Hooks(project.Dotnet("msbuild", "-restore", "-t:Compile;MASQuantQuantize", "-p:DesignTimeBuild=true", "-p:SkipCompilerExecution=true").MustSucceed()));
    }

    [Fact]
    public void What_cannot_be_prepared_is_not_quantized()
    {
        using var project = BuildCase.Open("Hooks");
        File.Delete(project.InFolder("model/config.json"));
        var log = project.Build();
        Assert.Equal(["MASQ0701"], log.Errors.Select(error => error.Code));
        Assert.Equal(["before prepare"], Hooks(log));
    }

    private static string[] Hooks(BuildLog log) => [.. log.Messages.Where(text => text.StartsWith(Mark, StringComparison.Ordinal)).Select(text => text[Mark.Length..])];
}
