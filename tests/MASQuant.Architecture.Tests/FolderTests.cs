using MASQuant.Tests;

namespace MASQuant.Architecture.Tests;

public class FolderTests
{
    [Fact]
    public void Folders_use_what_the_table_allows_and_no_more()
    {
        var (actual, allowed) = (FolderGraph.Actual(), FolderGraph.Allowed());
        string[] differences =
        [
            .. actual.Except(allowed).Select(edge => $"{edge.From} uses {edge.To}: turn the dependency round, or add it to AllowedEdges.txt."),
            .. allowed.Except(actual).Select(edge => $"{edge.From} no longer uses {edge.To}: take it out of AllowedEdges.txt."),
        ];
        Assert.True(differences.Length == 0, string.Join("\n", differences));
    }

    [Fact]
    public void Folders_form_no_cycle() => Assert.Empty(FolderGraph.FindCycle(FolderGraph.Actual()));

    [Fact]
    public void A_cycle_is_found()
    {
        Assert.Equal(["b", "c", "b"], FolderGraph.FindCycle([("a", "b"), ("b", "c"), ("c", "b")]));
        Assert.Empty(FolderGraph.FindCycle([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]));
    }

    [Fact]
    public void Namespaces_are_assembly_and_folder()
    {
        Assert.NotEmpty(ProductAssemblies.Projects);
        foreach (var project in ProductAssemblies.Projects)
        {
            var root = Path.Combine(RepositoryFiles.Root, "src", project);
            foreach (var file in ProductAssemblies.Sources(root))
            {
                var folder = Path.GetDirectoryName(Path.GetRelativePath(root, file))!;
                var expected = ProductAssemblies.RootNamespace(project) + (folder.Length == 0 ? "" : "." + folder.Replace(Path.DirectorySeparatorChar, '.'));
                var declared = File.ReadLines(file).Where(line => line.StartsWith("namespace ", StringComparison.Ordinal)).Select(line => line["namespace ".Length..].TrimEnd(';', ' ')).ToArray();
                // The generator runs on .NET Standard, whose compiler attributes it brings along; a program has no namespace.
                Assert.All(declared.Where(name => !name.StartsWith("System.", StringComparison.Ordinal)), name => Assert.True(name == expected, $"{Path.GetRelativePath(RepositoryFiles.Root, file)} is in {name}, not {expected}."));
            }
        }
    }
}
