using MASQuant.Tests;

namespace MASQuant.Fuzz;

/// <summary>A target's inputs in the repository: those to begin with, and those that were found to break it once.</summary>
internal static class CorpusFiles
{
    /// <summary>The project's folder.</summary>
    public static string Root { get; } = Path.Combine(RepositoryFiles.Root, "tests", "MASQuant.Fuzz");

    /// <summary>Inputs that the target reads to the end, or nearly so.</summary>
    public static IReadOnlyList<string> Of(FuzzTarget target) => Files("Corpus", target);

    /// <summary>Inputs that did not end as they should.</summary>
    public static IReadOnlyList<string> Regressions(FuzzTarget target) => Files("Regressions", target);

    private static string[] Files(string kind, FuzzTarget target)
        => Path.Combine(Root, kind, target.Name) is var folder && Directory.Exists(folder) ? [.. Directory.GetFiles(folder).Order(StringComparer.Ordinal)] : [];
}
