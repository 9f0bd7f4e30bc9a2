using System.CommandLine.Completions;
using MASQuant.Platform;

namespace MASQuant.Cli.Completion;

/// <summary>Names of files and folders that go on as a word begins.</summary>
internal static class PathCompletions
{
    // Nobody reads more, and a folder may hold a million.
    private const int Most = 200;

    /// <summary>Files and folders; a folder ends with a slash.</summary>
    public static IEnumerable<string> Of(CompletionContext context) => Of(context.WordToComplete, files: true);

    /// <summary>Folders alone.</summary>
    public static IEnumerable<string> OfFolders(CompletionContext context) => Of(context.WordToComplete, files: false);

    private static string[] Of(string word, bool files)
    {
        var parent = word[..(word.LastIndexOf('/') + 1)];
        var begun = word[parent.Length..];
        var folder = parent.Length > 0 ? parent : ".";
        try
        {
            var folders = FileSystem.Current.Folders(folder).Select(found => Path.GetFileName(Path.TrimEndingDirectorySeparator(found.FullName)) + "/");
            var names = files ? folders.Concat(FileSystem.Current.Files(folder).Select(found => found.Name)) : folders;
            return [.. names.Where(name => name.StartsWith(begun, StringComparison.Ordinal) && (begun.Length > 0 || name[0] != '.')).Take(Most).Order(StringComparer.Ordinal).Select(name => parent + name)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return []; // No such folder: nothing goes on.
        }
    }
}
