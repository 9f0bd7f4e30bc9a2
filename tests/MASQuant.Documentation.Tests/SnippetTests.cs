using System.Text.Json;
using MASQuant.Tests;

namespace MASQuant.Documentation.Tests;

/// <summary>What the pages show can be pasted.</summary>
public class SnippetTests
{
    public static TheoryData<string> Pages => [.. MarkdownPage.All.Where(page => page.Snippets("csharp").Any()).Select(page => page.Path)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void CSharp_compiles_as_it_stands(string path)
    {
        var problems = MarkdownPage.All.Single(page => page.Path == path).Snippets("csharp").SelectMany(SnippetCompilation.Problems).ToArray();
        Assert.True(problems.Length == 0, string.Join('\n', problems));
    }

    [Fact]
    public void The_first_snippets_of_README_take_nothing_as_written()
        => Assert.All(MarkdownPage.All.Single(page => page.Path == "README.md").Snippets("csharp").Take(2), snippet => Assert.Equal("", snippet.After));

    [Fact]
    public void Json_is_json()
    {
        var snippets = MarkdownPage.All.SelectMany(page => page.Snippets("json")).ToArray();
        Assert.NotEmpty(snippets);
        Assert.All(snippets, snippet => JsonDocument.Parse(snippet.Code).Dispose());
    }

    /// <summary>A language that no test knows would be one that nobody tries. XML is built in MASQuant.Build.Tests; the workflow and the diagram are for others' programs, and what has no name is what a program prints.</summary>
    [Fact]
    public void Every_fence_names_a_language_that_is_tried()
        => Assert.All(MarkdownPage.All.SelectMany(page => page.Snippets()), snippet => Assert.Contains(snippet.Language, (string[])["csharp", "fsharp", "json", "xml", "yaml", "mermaid", ""]));
}
