using MASQuant.Diagnostics;
using MASQuant.Formats.Files;

namespace MASQuant.Delivery;

/// <summary>Tells a cache's folder that fails, without which a delivery goes on, from a target that does, or a model that cannot be quantized: both end it.</summary>
internal static class CacheFault
{
    private static readonly string[] OfFiles = [DiagnosticCodes.FileNotReadable, DiagnosticCodes.FileNotWritable, DiagnosticCodes.NotEnoughDisk];

    /// <summary>Whether a folder of the cache's, where unfinished runs lie, is to blame: it is full, was deleted, or may not be written any more.</summary>
    /// <param name="exception">What a delivery ended with. File errors of the target have passed <see cref="FileBorder"/>.</param>
    /// <param name="root">The cache's folder.</param>
    public static bool Is(Exception exception, string root) => exception switch
    {
        MASQuantException problem => OfFiles.Contains(problem.Code) && problem.File is { } file && IsUnder(Path.GetFullPath(file), Path.GetFullPath(root)),
        _ => exception is IOException or UnauthorizedAccessException,
    };

    private static bool IsUnder(string file, string root) => file.StartsWith(Path.TrimEndingDirectorySeparator(root) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
