using System.Reflection;
using System.Text.RegularExpressions;
using MASQuant.Diagnostics;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Diagnostics;

public partial class DocumentationTests
{
    [Fact]
    public void Every_diagnostic_has_a_page_and_every_page_a_diagnostic()
    {
        var codes = typeof(DiagnosticCodes).GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static).Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!).ToArray();
        Assert.Equal(codes.Distinct(), codes);
        var pages = Directory.GetFiles(Path.Combine(RepositoryFiles.Root, "docs", "diagnostics"), "MASQ*.md");
        Assert.Empty(codes.Except(pages.Select(page => Path.GetFileNameWithoutExtension(page)!)));
        foreach (var page in pages)
        {
            var code = Path.GetFileNameWithoutExtension(page);
            var text = File.ReadAllText(page);
            Assert.StartsWith($"# {code}: ", text, StringComparison.Ordinal);
            Assert.Contains("**Cause.**", text, StringComparison.Ordinal);
            Assert.Contains("**Remedy.**", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_link_between_documents_leads_somewhere()
    {
        string[] documents = [.. Directory.GetFiles(RepositoryFiles.Root, "*.md"), .. Directory.GetFiles(Path.Combine(RepositoryFiles.Root, "docs"), "*.md", SearchOption.AllDirectories)];
        foreach (var document in documents)
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

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
