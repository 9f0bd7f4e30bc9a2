using MASQuant.Quantization;
using MASQuant.Tests;

namespace MASQuant.Build.Tests;

public class DocumentationTests
{
    /// <summary>The table of metadata in docs/build-integration.md is the option table, word for word.</summary>
    [Fact]
    public void Every_option_is_documented()
    {
        var text = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "build-integration.md"));
        var rows = OptionTable.All.Select(option => $"| `{option.Name}` | {Cell(option.Default)} | {Cell(option.Values)} | {option.Description} |\n");
        var missing = string.Concat(rows.Where(row => !text.Contains(row)));
        Assert.True(missing.Length == 0, missing);
    }

    private static string Cell(string text) => text.Length == 0 ? "empty" : text;
}
