using System.Text.RegularExpressions;

namespace MASQuant.Tests;

/// <summary>A page of the documentation, and the code that it shows.</summary>
/// <param name="Path">Relative to the repository's root.</param>
internal sealed partial record MarkdownPage(string Path)
{
    /// <summary>README, docs and the packages' own pages.</summary>
    public static IReadOnlyList<MarkdownPage> All { get; } =
    [
        .. Directory.EnumerateFiles(RepositoryFiles.Root, "*.md")
            .Concat(Directory.EnumerateFiles(System.IO.Path.Combine(RepositoryFiles.Root, "docs"), "*.md", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateDirectories(System.IO.Path.Combine(RepositoryFiles.Root, "src")).SelectMany(project => Directory.EnumerateFiles(project, "*.md")))
            .Select(file => new MarkdownPage(System.IO.Path.GetRelativePath(RepositoryFiles.Root, file).Replace('\\', '/')))
            .OrderBy(page => page.Path, StringComparer.Ordinal),
    ];

    public string Text { get; } = File.ReadAllText(System.IO.Path.Combine(RepositoryFiles.Root, Path)).ReplaceLineEndings("\n");

    /// <summary>The fenced code of one language.</summary>
    public IEnumerable<MarkdownSnippet> Snippets(string language) => Snippets().Where(snippet => snippet.Language == language);

    /// <summary>All fenced code.</summary>
    public IEnumerable<MarkdownSnippet> Snippets() => Fence().Matches(Text)
        .Select(match => new MarkdownSnippet(Path, Text[..match.Groups["code"].Index].Count(character => character == '\n') + 1, match.Groups["language"].Value, match.Groups["code"].Value, match.Groups["after"].Value));

    public override string ToString() => Path;

    // A comment, which a reader of the page does not see, may say what stands before a snippet.
    [GeneratedRegex(@"^(?:<!-- after: (?<after>[^\n]*) -->\n)?```(?<language>\w*)\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}

/// <summary>Fenced code of a page.</summary>
/// <param name="Page">Where it stands.</param>
/// <param name="Line">Its first line there, from 1.</param>
/// <param name="Language">csharp, xml, json ….</param>
/// <param name="Code">What is shown.</param>
/// <param name="After">What the page takes as written before it, in one line.</param>
internal sealed record MarkdownSnippet(string Page, int Line, string Language, string Code, string After);
