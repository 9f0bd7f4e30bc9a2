using System.Reflection;
using System.Text.RegularExpressions;
using MASQuant.Diagnostics;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Diagnostics;

public partial class DocumentationTests
{
    /// <summary>Codes are what the sources write in quotes, the generator's among them: a code exists once, and so does its page.</summary>
    [Fact]
    public void Every_code_is_declared_once_and_has_a_page_and_every_page_has_a_code()
    {
        var codes = Sources().SelectMany(source => Declared().Matches(source.Text)).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal).ToArray();
        Assert.Empty(Constants().Values.Except(codes));
        var pages = Directory.GetFiles(Path.Combine(RepositoryFiles.Root, "docs", "diagnostics"), "*.md");
        Assert.Equal(codes, pages.Select(page => Path.GetFileNameWithoutExtension(page)).Order(StringComparer.Ordinal));
        foreach (var page in pages)
        {
            var text = File.ReadAllText(page);
            Assert.StartsWith($"# {Path.GetFileNameWithoutExtension(page)}: ", text, StringComparison.Ordinal);
            Assert.Contains("**Cause.**", text, StringComparison.Ordinal);
            Assert.Contains("**Remedy.**", text, StringComparison.Ordinal);
        }
    }

    /// <summary>A code that nothing reports would have a page that nobody can reach.</summary>
    [Fact]
    public void Every_code_is_reported_somewhere()
    {
        var reported = Sources().SelectMany(source => Reported().Matches(source.Text)).Select(match => match.Groups[1].Value).ToHashSet();
        reported.UnionWith(Constants().Where(code => Targets.Contains($"Code=\"{code.Value}\"", StringComparison.Ordinal)).Select(code => code.Key));
        Assert.Equal(Constants().Keys.Order(StringComparer.Ordinal), reported.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Codes_that_comments_and_documents_mention_exist()
    {
        var codes = Sources().SelectMany(source => Declared().Matches(source.Text)).Select(match => match.Groups[1].Value).ToHashSet();
        var texts = Sources().Concat(Documents().Append(Path.Combine(RepositoryFiles.Root, "MASQuant.targets")).Select(file => (File: file, Text: File.ReadAllText(file))));
        var unknown = texts.SelectMany(text => Mentioned().Matches(text.Text).Select(match => $"{Path.GetRelativePath(RepositoryFiles.Root, text.File)}: {match.Value}")).Where(mention => !codes.Contains(mention[^8..]));
        Assert.Empty(unknown);
    }

    /// <summary>What a document says is held by a test is held by one that exists.</summary>
    [Fact]
    public void Tests_that_documents_name_exist()
    {
        var tests = Directory.GetFiles(Path.Combine(RepositoryFiles.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories).Select(File.ReadAllText).ToArray();
        var named = Documents().SelectMany(document => NamedTest().Matches(File.ReadAllText(document)).Select(match => (document, Class: match.Groups[1].Value, Method: match.Groups[2].Value))).ToArray();
        Assert.NotEmpty(named);
        foreach (var (document, type, method) in named)
        {
            Assert.True(tests.Any(test => test.Contains($"class {type}", StringComparison.Ordinal) && (method.Length == 0 || test.Contains($" {method}(", StringComparison.Ordinal))), $"{document} names {type}.{method}");
        }
    }

    [Fact]
    public void Every_link_between_documents_leads_somewhere()
    {
        foreach (var document in Documents())
        {
            foreach (Match link in Link().Matches(File.ReadAllText(document)))
            {
                var target = link.Groups[1].Value.Split('#')[0];
                if (target.Length > 0 && !target.Contains("://", StringComparison.Ordinal))
                {
                    var path = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(document)!, target));
                    Assert.True(Path.Exists(path), $"{Path.GetRelativePath(RepositoryFiles.Root, document)} links to {target}, which does not exist.");
                }
            }
        }
    }

    private static string Targets { get; } = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "MASQuant.targets"));

    private static Dictionary<string, string> Constants()
        => typeof(DiagnosticCodes).GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static).Where(field => field.IsLiteral).ToDictionary(field => field.Name, field => (string)field.GetRawConstantValue()!);

    private static IEnumerable<(string File, string Text)> Sources()
        => Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(file => (file, File.ReadAllText(file)));

    private static string[] Documents() => [.. MarkdownPage.All.Select(page => Path.Combine(RepositoryFiles.Root, page.Path))];

    [GeneratedRegex(@"`(\w+Tests)(?:\.(\w+))?`")]
    private static partial Regex NamedTest();

    [GeneratedRegex("\"(MASQ[0-9]{4})\"")]
    private static partial Regex Declared();

    [GeneratedRegex(@"\bDiagnosticCodes\.(\w+)")]
    private static partial Regex Reported();

    [GeneratedRegex("MASQ[0-9]{4}")]
    private static partial Regex Mentioned();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
