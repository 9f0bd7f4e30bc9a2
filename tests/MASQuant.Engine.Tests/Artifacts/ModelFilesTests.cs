using MASQuant.Diagnostics;
using MASQuant.Formats.Artifacts;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Artifacts;

public class ModelFilesTests
{
    private const string Name = "Tiny.masquant.safetensors";

    [Fact]
    public void A_model_is_found_beside_the_executable_when_it_is_not_beside_the_assemblies()
    {
        using var folder = new TemporaryDirectory();
        var (assemblies, executable) = (folder.File("assemblies"), folder.File("executable"));
        Directory.CreateDirectory(Path.Combine(executable, "models"));
        var model = Path.Combine(executable, "models", Name);
        File.WriteAllText(model, "");
        Assert.Equal(model, ModelFiles.Find(Name, [assemblies, executable]));
        Assert.Equal(model, ModelFiles.Find(Name, [null, executable]));
    }

    [Fact]
    public void A_missing_model_is_an_error_that_names_both_places()
    {
        using var folder = new TemporaryDirectory();
        var error = Assert.Throws<MASQuantException>(() => ModelFiles.Find(Name, [folder.File("a"), folder.File("b")]));
        Assert.Equal(DiagnosticCodes.ArtifactNotFound, error.Code);
        Assert.Contains(Path.Combine(folder.Path, "a", "models", Name), error.Message);
        Assert.Contains(Path.Combine(folder.Path, "b", "models", Name), error.Message);
    }
}
