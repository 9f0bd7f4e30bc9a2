using System.Text.RegularExpressions;

namespace MASQuant.Tasks;

/// <summary>Recognizes the small text file that stands for a large one until <c>git lfs pull</c>.</summary>
internal static partial class GitLfsPointer
{
    private const int MaxBytes = 1024; // the specification's limit

    /// <summary>The SHA-256 of the file that a pointer stands for, or null when <paramref name="file"/> is no pointer.</summary>
    public static string? ReadOid(FileInfo file)
    {
        if (file.Length >= MaxBytes)
        {
            return null;
        }

        var match = Pointer().Match(File.ReadAllText(file.FullName));
        return match.Success ? match.Groups["oid"].Value : null;
    }

    [GeneratedRegex(@"\Aversion https://git-lfs\.github\.com/spec/v1\n(.*\n)*oid sha256:(?<oid>[0-9a-f]{64})\n", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Pointer();
}
