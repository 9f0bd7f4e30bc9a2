using MASQuant.Quantization.Facts;

namespace MASQuant.Build.Tests;

[Trait("Lane", "build")]
public class ReportTests
{
    private const string Page = "bin/Debug/net10.0/models/Tiny.masquant.html";

    /// <summary>One page per model, written once per key, there even when a budget is missed. It outlives builds that do not ask for it, as long as the model is the same.</summary>
    [Fact]
    public void A_property_asks_for_a_page_per_model()
    {
        using var project = BuildCase.Open("OneModel");
        Assert.NotEqual(0, project.Build("-p:MASQuantReport=true", "-p:MaxBytes=1").ExitCode);
        var stored = Assert.Single(Directory.GetFiles(project.InFolder("obj/masquant"), "*.html", SearchOption.AllDirectories));
        var written = File.GetLastWriteTimeUtc(stored);

        Assert.Empty(project.Build("-p:MASQuantReport=true").MustSucceed().Quantized);
        Assert.Contains("<title>Tiny, W4A8</title>", File.ReadAllText(project.InFolder(Page)));
        Assert.Equal(written, File.GetLastWriteTimeUtc(stored));

        // The facts of the run have reached the store with the artifact.
        Assert.NotNull(FactsFile.ReadFacts(Path.ChangeExtension(stored, ".json")));
        Assert.Contains("<dt>Checkpoint</dt><dd>7 B", File.ReadAllText(project.InFolder(Page)));

        var page = File.ReadAllText(project.InFolder(Page));
        project.Build().MustSucceed();
        project.Build().MustSucceed();
        Assert.Equal(page, File.ReadAllText(project.InFolder(Page)));

        // Of another model it would tell what is not so.
        project.Build("-p:Scheme=W8A8").MustSucceed();
        Assert.False(File.Exists(project.InFolder(Page)));
    }
}
