using MASQuant.Budgets;
using MASQuant.Quantization;
using MASQuant.Tests;

namespace MASQuant.Build.Tests;

public class DocumentationTests
{
    /// <summary>The tables of metadata in docs/build-integration.md are the option table and the budget table, word for word.</summary>
    [Fact]
    public void Every_option_is_documented()
    {
        var text = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "build-integration.md"));
        var rows = OptionTable.All.Select(option => $"| `{option.Name}` | {Cell(option.Default)} | {Cell(option.Values)} | {option.Description} |\n");
        var budgets = BudgetTable.All.Select(budget => $"| `{budget.Name}` | {budget.Values} | {budget.Description} |\n");
        var missing = string.Concat(rows.Concat(budgets).Where(row => !text.Contains(row)));
        Assert.True(missing.Length == 0, missing);
    }

    private static string Cell(string text) => text.Length == 0 ? "empty" : text;
}
