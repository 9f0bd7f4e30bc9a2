using System.Xml.Linq;
using MASQuant.Tests;

namespace MASQuant.Build.Tests;

/// <summary>What the pages put into a project works there.</summary>
[Trait("Lane", "build")]
public class SnippetTests
{
    public static TheoryData<string, int> Snippets
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var snippet in MarkdownPage.All.SelectMany(page => page.Snippets("xml")))
            {
                data.Add(snippet.Page, snippet.Line);
            }

            return data;
        }
    }

    /// <summary>Its model is keyed, with every word understood. What asks for libtorch is given an assembly as its package would give one.</summary>
    [Theory]
    [MemberData(nameof(Snippets))]
    public void A_project_with_the_snippet_knows_its_model(string page, int line)
    {
        var code = MarkdownPage.All.Single(candidate => candidate.Path == page).Snippets("xml").Single(snippet => snippet.Line == line).Code;
        var elements = XElement.Parse($"<Project>{code}</Project>").Elements().ToArray();
        var items = elements.Where(element => element.Name.LocalName is "QuantizedModel" or "PackageReference").ToList();
        var rest = elements.Except(items).ToArray();
        if (!items.Exists(item => item.Name.LocalName == "QuantizedModel"))
        {
            items.Add(XElement.Parse("""<QuantizedModel Include="models/omni-tiny" Calibration="data/calibration.jsonl" />"""));
        }

        using var project = BuildCase.Open("OneModel");
        project.Write("OneModel.csproj", new XElement("Project", new XAttribute("Sdk", "Microsoft.NET.Sdk"), XElement.Parse("<PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>"), new XElement("ItemGroup", items), rest).ToString());
        project.Write("models/omni-tiny/config.json", "{}");
        project.Write("models/omni-tiny/model.safetensors", "weights");
        var model = Assert.Single(project.Items("MASQuantPreparedModel", "-t:MASQuantPrepare", "-warnaserror", "-p:MASQuantComputeAssembly=" + BuildCase.StandIn));
        Assert.Equal("OmniTiny", model["Identity"]);
        Assert.Equal(64, model["MASQuantKey"].Length);
    }
}
