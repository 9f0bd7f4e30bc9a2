using MASQuant.Diagnostics;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Files;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Artifacts;

public class ModelNameTests
{
    [Theory]
    [InlineData("omni-tiny", "OmniTiny")]
    [InlineData("Qwen2.5-VL-3B", "Qwen25VL3B")]
    [InlineData("OmniTiny", "OmniTiny")]
    [InlineData("3b", "Model3b")]
    [InlineData("--", "Model")]
    [InlineData("my_model v2", "My_modelV2")]
    public void A_folder_name_becomes_an_identifier(string folder, string name) => Assert.Equal(name, ModelName.From(folder));

    [Fact]
    public void A_name_that_its_files_could_not_have_is_refused()
    {
        const string longest = ".blocks-9999-9999.masquant.part";
        var name = new string('N', ModelName.MaxBytes);
        Assert.Equal(name, ModelName.From(name));
        Assert.Null(FileNames.ProblemOf(name + longest));
        using var folder = new TemporaryDirectory();
        AtomicFile.Write(folder.File(name + longest), new byte[1]);
        foreach (var longer in (string[])[name + "N", new string('é', (ModelName.MaxBytes / 2) + 1), new string('x', 300)])
        {
            var error = Assert.Throws<MASQuantException>(() => ModelName.From(longer, "App.csproj"));
            Assert.Equal((DiagnosticCodes.OptionNotAllowed, "App.csproj"), (error.Code, error.File));
        }
    }

    [Fact]
    public void The_longest_name_that_is_allowed_is_written_and_no_longer_one()
    {
        using var folder = new TemporaryDirectory();
        var name = new string('n', FileNames.MaxBytes);
        AtomicFile.Write(folder.File(name), new byte[1]);
        Assert.Null(FileNames.ProblemOf(folder.File(name)));
        Assert.Contains("219 bytes", FileNames.ProblemOf(Path.Combine("a", name + "n", "b"))!, StringComparison.Ordinal);
        Assert.Contains("220 bytes", FileNames.ProblemOf(new string('é', 110))!, StringComparison.Ordinal);
    }
}
