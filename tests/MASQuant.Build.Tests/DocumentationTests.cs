using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using MASQuant.Evaluation.Budgets;
using MASQuant.Quantization.Options;
using MASQuant.Tasks;
using MASQuant.Tests;

namespace MASQuant.Build.Tests;

public class DocumentationTests
{
    /// <summary>The tables of metadata in docs/build-integration.md are the option table and the budget table, word for word.</summary>
    [Fact]
    public void Every_option_is_documented()
    {
        var text = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "build-integration.md"));
        var rows = OptionTable.All.Select(option => $"| `{option.Name}` | {Cell(option.Default)} | {Cell(option.Values)} | {option.Since} | {option.Description} |\n");
        var budgets = BudgetTable.All.Select(budget => $"| `{budget.Name}` | {budget.Values} | {budget.Since} | {budget.Description} |\n");
        var missing = string.Concat(rows.Concat(budgets).Where(row => !text.Contains(row)));
        Assert.True(missing.Length == 0, missing);
    }

    /// <summary>What the documentation lists is what the task understands, and the other way round.</summary>
    [Fact]
    public void The_documented_metadata_are_those_that_the_task_reads()
    {
        var text = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "build-integration.md"));
        var tables = text[text.IndexOf("\n## Metadata\n", StringComparison.Ordinal)..text.IndexOf("\n## Misspelt", StringComparison.Ordinal)];
        Assert.Equal(ModelItem.Words.Order(), Regex.Matches(tables, @"(?<=\n\| `)\w+").Select(match => match.Value).Order());
    }

    [Fact]
    public void The_documented_messages_are_those_that_the_tasks_log()
    {
        var text = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "build-integration.md"));
        var table = text[text.IndexOf("\n## Messages by code\n", StringComparison.Ordinal)..text.IndexOf("\n## Why", StringComparison.Ordinal)];
        var codes = typeof(ModelEvents).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!);
        Assert.Equal(codes.Order(), Regex.Matches(table, @"(?<=\n\| `)MASQuant\.\w+(?=` \|)").Select(match => match.Value).Order());
    }

    /// <summary>A line of the documentation that lists the schemes lists all of them, and so do the choices of the template.</summary>
    [Fact]
    public void Lists_of_schemes_are_complete()
    {
        var all = string.Join(", ", QuantizationScheme.All);
        string[] pages = [.. new[] { "README.md", "CHANGELOG.md" }.Select(name => Path.Combine(RepositoryFiles.Root, name)), .. Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "docs"), "*.md", SearchOption.AllDirectories)];
        var beginning = string.Join(", ", QuantizationScheme.All.Take(2));
        string[] lists = [.. pages.SelectMany(File.ReadLines).Where(line => line.Contains(beginning, StringComparison.Ordinal))];
        Assert.True(lists.Length >= 5, $"{lists.Length} lists were found.");
        Assert.All(lists, line => Assert.Contains(all, line, StringComparison.Ordinal));
        foreach (var name in new[] { "masquant", "masquant-web" })
        {
            using var template = JsonDocument.Parse(File.ReadAllText(Path.Combine(RepositoryFiles.Root, "src", "Templates", name, ".template.config", "template.json")));
            var choices = template.RootElement.GetProperty("symbols").GetProperty("scheme").GetProperty("choices").EnumerateArray();
            Assert.Equal(all, string.Join(", ", choices.Select(choice => choice.GetProperty("choice").GetString())));
        }
    }

    private static string Cell(string text) => text.Length == 0 ? "empty" : text;
}
