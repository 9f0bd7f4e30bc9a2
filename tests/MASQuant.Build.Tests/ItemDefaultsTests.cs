using MASQuant.Quantization.Options;

namespace MASQuant.Build.Tests;

/// <summary>Metadata that an item does not give come from its definition: the package's, or what a project said before.</summary>
[Trait("Lane", "build")]
public class ItemDefaultsTests
{
    private const string Item = "<QuantizedModel Include=\"model;other-model\" Calibration=\"data/calibration.jsonl\"";

    /// <summary>A definition counts as given, and what is given wins over a preset: so it may hold only what is the same for every method.</summary>
    [Fact]
    public void The_definition_holds_the_tools_own_defaults_and_leaves_every_method_as_it_is()
    {
        using var project = Open();
        var item = project.Items("QuantizedModel")[0];
        var defined = OptionTable.All.Where(option => item.ContainsKey(option.Name)).ToArray();
        Assert.Equal(["Method", "Scheme", "Seed"], defined.Select(option => option.Name));
        Assert.All(defined, option => Assert.Equal(option.Default, item[option.Name]));
        Assert.All(QuantizationMethod.Names, method =>
        {
            var given = defined.ToDictionary(option => option.Name, option => item[option.Name]);
            given["Method"] = method;
            Assert.Equal(OptionTable.Write(OptionTable.Read(new Dictionary<string, string> { ["Method"] = method })), OptionTable.Write(OptionTable.Read(given)));
        });
    }

    [Fact]
    public void A_Directory_Build_props_gives_other_defaults_and_an_item_has_the_last_word()
    {
        using var project = Open();
        var usual = Keys(project);

        var written = File.ReadAllText(project.InFolder("TwoModels.csproj"));
        project.Write("TwoModels.csproj", written.Replace(Item, Item + " Scheme=\"W8A8\" Epochs=\"0\""));
        var explicitly = Keys(project);
        Assert.NotEqual(usual, explicitly);

        project.Write("TwoModels.csproj", written);
        project.Write("Directory.Build.props", File.ReadAllText(project.InFolder("Directory.Build.props")).Replace("</Project>", """
              <ItemDefinitionGroup>
                <QuantizedModel>
                  <Scheme>W8A8</Scheme>
                  <Epochs>0</Epochs>
                </QuantizedModel>
              </ItemDefinitionGroup>
            </Project>
            """));
        Assert.Equal(explicitly, Keys(project));

        project.Write("TwoModels.csproj", written.Replace(Item, Item + " Scheme=\"W4A8\" Epochs=\"\""));
        Assert.Equal(usual, Keys(project));
    }

    private static BuildCase Open()
    {
        var project = BuildCase.Open("TwoModels");
        project.Write("other-model/config.json", "{}");
        project.Write("other-model/model.safetensors", "other weights");
        Assert.Contains(Item, File.ReadAllText(project.InFolder("TwoModels.csproj")));
        return project;
    }

    /// <summary>It is the class's: the key, and so the artifact, stays.</summary>
    [Fact]
    public void Sampling_reaches_the_compiler_and_not_the_key()
    {
        using var project = Open();
        var usual = Keys(project);
        var written = File.ReadAllText(project.InFolder("TwoModels.csproj"));
        project.Write("TwoModels.csproj", written.Replace(Item, Item + " Sampling=\"recommended\""));
        Assert.Equal(usual, Keys(project));
        Assert.Equal(["Recommended", "Recommended"], project.Items("AdditionalFiles", "-t:MASQuantAddGeneratorInputs").Where(file => file.ContainsKey("MASQuantSampling")).Select(file => file["MASQuantSampling"]));

        project.Write("TwoModels.csproj", written.Replace(Item, Item + " Sampling=\"Warm\""));
        Assert.Contains(project.Build().Errors, error => error.Code == "MASQ0502" && error.Text == "Sampling='Warm' is not allowed. Allowed: Greedy, Recommended.");
    }

    private static string[] Keys(BuildCase project) => [.. project.Items("MASQuantPreparedModel", "-t:MASQuantPrepare").Select(model => model["MASQuantKey"])];
}
