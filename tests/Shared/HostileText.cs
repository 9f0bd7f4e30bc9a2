namespace MASQuant.Tests;

/// <summary>Text that steers terminals and build servers' logs, as an author of files could write it.</summary>
internal static class HostileText
{
    /// <summary>Clears a screen, turns writing, begins lines that are commands to GitHub, Azure and TeamCity.</summary>
    public const string Value = "x\u001B[2J\u009B1m\u202Ey\rw\n::error::z\n##vso[task.complete result=Succeeded]\n##teamcity[a]";

    /// <summary>What of a file's name systems allow.</summary>
    public const string FileName = "::error::a\u001B[2J\n##vso[b].png";

    /// <summary>The parts of a text that would steer; lines may be its own.</summary>
    public static IReadOnlyList<string> SteeringParts(string text) =>
    [
        .. text.Where(letter => (char.IsControl(letter) && letter is not ('\n' or '\t')) || letter == '\u202E').Select(letter => $"U+{(int)letter:X4}"),
        .. text.Split('\n').Where(line => line.TrimStart().StartsWith("::", StringComparison.Ordinal) || line.Contains("##vso[", StringComparison.Ordinal) || line.Contains("##teamcity[", StringComparison.Ordinal)),
    ];
}
