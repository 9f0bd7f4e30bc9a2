using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;
using MASQuant.Evaluation.Budgets;
using MASQuant.Quantization.Options;
using MASQuant.Tasks;
using MASQuant.Tests;

namespace MASQuant.Build.Tests;

/// <summary>The page that editors show for a <c>QuantizedModel</c> item says what the tables say, in a form that editors can read.</summary>
public class PropertyPageTests
{
    private const string Schema = "http://schemas.microsoft.com/build/2009/properties";
    private const string Types = "Microsoft.Build.Framework.XamlTypes";
    private static readonly XElement Page = XElement.Load(Path.Combine(RepositoryFiles.Root, "src", "Build", "QuantizedModel.xaml"));

    private static IEnumerable<XElement> Properties => Page.Element(XName.Get("Rule", Schema))!.Elements().Where(element => element.Name.LocalName.EndsWith("Property", StringComparison.Ordinal));

    [Fact]
    public void Its_properties_are_the_metadata_that_the_task_reads()
        => Assert.Equal(ModelItem.Words, Properties.Select(Name));

    [Fact]
    public void It_describes_options_and_budgets_in_the_tables_words()
    {
        var options = OptionTable.All.Select(option => (option.Name, Text: Choices(option).Length > 0 ? option.Description : $"{option.Description} Values: {option.Values}."));
        var budgets = BudgetTable.All.Select(budget => (budget.Name, Text: $"{budget.Description} Values: {budget.Values}."));
        Assert.All(options.Concat(budgets), word => Assert.Equal(word.Text, Property(word.Name).Attribute("Description")?.Value));
    }

    [Fact]
    public void It_lists_the_values_of_options_that_have_a_few()
        => Assert.All(OptionTable.All, option => Assert.Equal(Choices(option), Property(option.Name).Elements().Select(Name)));

    /// <summary>Its defaults are the item's definition: what a method presets has none.</summary>
    [Fact]
    [Trait("Lane", "build")]
    public void It_shows_the_defaults_that_the_item_has()
    {
        using var project = BuildCase.Open("TwoModels");
        var item = project.Items("QuantizedModel")[0];
        Assert.All(OptionTable.All.Where(option => Choices(option).Length > 0), option =>
            Assert.Equal(item.GetValueOrDefault(option.Name), Property(option.Name).Elements().SingleOrDefault(value => value.Attribute("IsDefault")?.Value == "true")?.Attribute("Name")?.Value));
    }

    /// <summary>Each element is a type of MSBuild's, each attribute a property of it.</summary>
    [Fact]
    public void Editors_know_every_word_of_it()
    {
        using var image = new PEReader(File.OpenRead(Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "PropertyPageTypes").Value!));
        var reader = image.GetMetadataReader();
        var types = reader.TypeDefinitions.Select(reader.GetTypeDefinition).Where(type => reader.GetString(type.Namespace) == Types).ToDictionary(type => reader.GetString(type.Name));
        foreach (var element in Page.DescendantsAndSelf())
        {
            Assert.Equal(Schema, element.Name.NamespaceName);
            var name = element.Name.LocalName.Split('.'); // Rule.DataSource sets a property of the element that it is in
            Assert.True(types.ContainsKey(name[0]), $"{element.Name.LocalName} is unknown.");
            Assert.All(element.Attributes().Where(attribute => !attribute.IsNamespaceDeclaration).Select(attribute => attribute.Name.LocalName).Concat(name[1..]),
                property => Assert.Contains(property, PropertiesOf(reader, types, types[name[0]])));
        }
    }

    private static HashSet<string> PropertiesOf(MetadataReader reader, Dictionary<string, TypeDefinition> types, TypeDefinition type)
    {
        HashSet<string> names = [.. type.GetProperties().Select(property => reader.GetString(reader.GetPropertyDefinition(property).Name))];
        if (type.BaseType.Kind == HandleKind.TypeDefinition && types.TryGetValue(reader.GetString(reader.GetTypeDefinition((TypeDefinitionHandle)type.BaseType).Name), out var parent))
        {
            names.UnionWith(PropertiesOf(reader, types, parent));
        }

        return names;
    }

    // The values of an option that lists them all: each is allowed as it stands.
    private static string[] Choices(QuantizationOption option)
    {
        var values = option.Values.Split(", ");
        return values.Length > 1 && Array.TrueForAll(values, value => option.Apply(new QuantizationOptions(), value) is not null) ? values : [];
    }

    private static XElement Property(string name) => Properties.Single(property => Name(property) == name);

    private static string Name(XElement element) => element.Attribute("Name")!.Value;
}
