using System.Text;
using MASQuant.Diagnostics;
using MASQuant.Platform;

namespace MASQuant.Formats.Files;

/// <summary>The small text file that stands for a large one until Git LFS has fetched it.</summary>
public static class LfsPointer
{
    /// <summary>The bytes that suffice to recognise one.</summary>
    public const int PrefixLength = 42;

    private const int MaxBytes = 1024; // the specification's limit
    private const int HashLetters = 64;
    private const string Hash = "oid sha256:";

    private static ReadOnlySpan<byte> Prefix => "version https://git-lfs.github.com/spec/v1"u8;

    /// <summary>Refuses a pointer in place of the file.</summary>
    /// <exception cref="MASQuantException">MASQ0104: <paramref name="content"/> starts as a pointer does.</exception>
    public static void Refuse(ReadOnlySpan<byte> content, string path)
    {
        if (content.StartsWith(Prefix))
        {
            throw new MASQuantException(DiagnosticCodes.LfsPointer, path,
                $"'{Path.GetFileName(path)}' is a Git LFS pointer, not the file itself. Run 'git lfs pull' in its repository.");
        }
    }

    /// <summary>The SHA-256 of the file that a pointer stands for, lower-case hexadecimal; null when <paramref name="file"/> is no pointer.</summary>
    public static string? ReadSha256(FileInfo file)
    {
        if (file.Length >= MaxBytes || FileSystem.Current.ReadAllBytes(file.FullName) is not { } content || !content.AsSpan().StartsWith(Prefix))
        {
            return null;
        }

        // Every line of a pointer ends with a line feed; what follows the last is no line.
        var lines = Encoding.UTF8.GetString(content).Split('\n')[..^1];
        return lines.Where(line => line.StartsWith(Hash, StringComparison.Ordinal)).Select(line => line[Hash.Length..]).FirstOrDefault(IsHash);
    }

    private static bool IsHash(string text) => text.Length == HashLetters && text.All(char.IsAsciiHexDigitLower);
}
