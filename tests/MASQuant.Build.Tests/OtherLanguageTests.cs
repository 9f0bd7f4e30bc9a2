using MASQuant.Runtime;
using MASQuant.Tasks;
using MASQuant.Tests;

namespace MASQuant.Build.Tests;

/// <summary>Projects whose compiler is not C#'s.</summary>
[Trait("Lane", "build")]
public class OtherLanguageTests
{
    /// <summary>With the program that docs/build-integration.md shows.</summary>
    [Fact]
    public void An_FSharp_program_answers_with_its_model()
    {
        using var project = BuildCase.OpenReal("FSharp");
        Folders.Copy(RepositoryFiles.VlTiny, project.InFolder("vl-tiny"));
        File.Copy(RepositoryFiles.Data("media/calib-ocr-000.png"), project.InFolder("data/picture.png"), overwrite: true);
        project.Write("data/calibration.jsonl", """{"messages": [{"role": "user", "content": [{"type": "image", "image": "picture.png"}, {"type": "text", "text": "Read the digits."}]}, {"role": "assistant", "content": "1 2"}]}""");
        File.Copy(RepositoryFiles.Data("media/eval-ocr-000.png"), project.InFolder("digits.png"));
        var code = MarkdownPage.All.SelectMany(page => page.Snippets("fsharp")).Single().Code;
        project.Write("Program.fs", code.Replace("OmniTiny", "VlTiny", StringComparison.Ordinal));

        var log = project.Build().MustSucceed();
        Assert.Contains("MultimodalModel.LoadBuilt(\"VlTiny.masquant.safetensors\")", Assert.Single(log.TextsOf(ModelEvents.NoClass)), StringComparison.Ordinal);
        Assert.Empty(log.Warnings);
        using var model = MultimodalModel.Load(project.InFolder("bin/Debug/net10.0/models/VlTiny.masquant.safetensors"));
        Assert.Equal((0, string.Concat(model.Generate(new Prompt().Image(project.InFolder("digits.png")).Text("Read the digits.")))), project.Run("dotnet", project.InFolder("bin/Debug/net10.0/FSharp.dll")));
        Assert.Empty(project.Build().MustSucceed().TextsOf(ModelEvents.NoClass)); // said once
    }

    /// <summary>It needs no runtime to carry one for others.</summary>
    [Fact]
    public void A_Visual_Basic_project_gets_the_artifact()
    {
        using var project = BuildCase.Open("OneModel");
        project.RemoveRuntime();
        project.Write("OneModel.vbproj", File.ReadAllText(project.InFolder("OneModel.csproj")).Replace("</TargetFramework>", "</TargetFramework><LangVersion>latest</LangVersion>", StringComparison.Ordinal));
        File.Delete(project.InFolder("OneModel.csproj"));
        project.Write("Program.vb", "Module Program\n  Sub Main()\n  End Sub\nEnd Module\n");
        var log = project.Build().MustSucceed();
        Assert.Contains("VB", Assert.Single(log.TextsOf(ModelEvents.NoClass)), StringComparison.Ordinal);
        Assert.True(File.Exists(project.InFolder("bin/Debug/net10.0/models/Tiny.masquant.safetensors")));
    }
}
