using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>A family is known in its folder, to families that are built on it, and in the registry, nowhere else.</summary>
public sealed class FamilyTests
{
    private static readonly string Source = Path.Combine(RepositoryFiles.Root, "src");

    public static TheoryData<string> Families => [.. ModelFamilies.Known.All.Select(family => family.Name)];

    [Theory]
    [MemberData(nameof(Families))]
    public void No_other_source_names_a_family(string name)
    {
        var family = ModelFamilies.Known.All.Single(family => family.Name == name);
        var folder = Path.Combine(Source, "Formats", "Models", FolderOf(family));
        string[] words = [.. Words(family)];
        Assert.True(Directory.Exists(folder), $"{folder} is the family's folder");
        Assert.NotEmpty(Named(words, path => path.StartsWith(folder, StringComparison.Ordinal))); // The words are those that the family writes.

        string[] families = [.. ModelFamilies.Known.All.Select(other => Path.Combine(Source, "Formats", "Models", FolderOf(other)))];
        Assert.Empty(Named(words, path => !families.Contains(Path.GetDirectoryName(path)) && Path.GetFileName(path) != "ModelFamilies.cs"));
    }

    [Fact]
    public void Names_and_types_are_unique()
    {
        Assert.Equal(ModelFamilies.Known.All.Count, ModelFamilies.Known.All.Select(family => family.Name).Distinct().Count());
        var types = ModelFamilies.Known.All.SelectMany(family => family.ModelTypes).ToArray();
        Assert.Equal(types.Length, types.Distinct().Count());
    }

    private static string FolderOf(ModelFamily family) => family.GetType().Namespace!.Split('.')[^1];

    private static IEnumerable<string> Words(ModelFamily family)
        => [family.Name, family.DisplayName, FolderOf(family), .. family.ModelTypes, .. family.TensorNames.Within is { } within ? new[] { within.TrimEnd('.') } : []];

    private static IEnumerable<string> Named(string[] words, Func<string, bool> among)
        => from path in Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories)
           where among(path) && !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
           from line in File.ReadLines(path).Select((text, i) => (Text: text, Number: i + 1))
           from word in words
           where line.Text.Contains(word, StringComparison.OrdinalIgnoreCase)
           select $"{Path.GetRelativePath(Source, path)}({line.Number}): {word}";
}
