using MASQuant.Diagnostics;

namespace MASQuant.Formats.Files;

/// <summary>Recognises the small text files that Git leaves in place of large ones when Git LFS did not run.</summary>
internal static class LfsPointer
{
    /// <summary>The bytes that suffice to recognise one.</summary>
    public const int PrefixLength = 42;

    private static ReadOnlySpan<byte> Prefix => "version https://git-lfs.github.com/spec/v1"u8;

    /// <exception cref="MASQuantException">MASQ0104: <paramref name="content"/> starts as a pointer does.</exception>
    public static void Refuse(ReadOnlySpan<byte> content, string path)
    {
        if (content.StartsWith(Prefix))
        {
            throw new MASQuantException(DiagnosticCodes.LfsPointer, path,
                $"'{Path.GetFileName(path)}' is a Git LFS pointer, not the file itself. Run 'git lfs pull' in its repository.");
        }
    }
}
