using System.Runtime.CompilerServices;

namespace MASQuant.Tests;

/// <summary>Compares text with the file <c>Class.Method.verified.txt</c> beside the test. A difference leaves <c>Class.Method.received.txt</c>; accept it by renaming.</summary>
internal static class Snapshot
{
    public static void Verify(string text, [CallerFilePath] string testFile = "", [CallerMemberName] string test = "")
    {
        // Deterministic builds record /_/ in place of the repository's root.
        testFile = testFile.StartsWith("/_/", StringComparison.Ordinal) ? Path.Combine(RepositoryFiles.Root, testFile[3..]) : testFile;
        var stem = Path.Combine(Path.GetDirectoryName(testFile)!, $"{Path.GetFileNameWithoutExtension(testFile)}.{test}");
        var verified = stem + ".verified.txt";
        var received = stem + ".received.txt";
        var expected = File.Exists(verified) ? File.ReadAllText(verified).ReplaceLineEndings("\n") : null;
        if (expected == text.ReplaceLineEndings("\n"))
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, text.ReplaceLineEndings("\n"));
        Assert.Fail($"{Path.GetFileName(received)} differs from {Path.GetFileName(verified)}{FirstDifference(expected ?? "", text)}");
    }

    private static string FirstDifference(string expected, string actual)
    {
        var left = expected.Split('\n');
        var right = actual.ReplaceLineEndings("\n").Split('\n');
        var line = Enumerable.Range(0, Math.Max(left.Length, right.Length)).First(i => i >= left.Length || i >= right.Length || left[i] != right[i]);
        return $" at line {line + 1}: expected '{left.ElementAtOrDefault(line)}', got '{right.ElementAtOrDefault(line)}'";
    }
}
