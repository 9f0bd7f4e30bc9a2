using MASQuant.Diagnostics;

namespace MASQuant;

/// <summary>An error whose cause lies outside the program: a file, an option, the machine. Its message says what, where and the remedy.</summary>
public sealed class MASQuantException : Exception
{
    /// <summary>Creates an error with a code of <see cref="DiagnosticCodes"/>, the file it concerns (or null) and a message that ends with the remedy.</summary>
    public MASQuantException(string code, string? file, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Code = code;
        File = file;
    }

    /// <summary>The code, <c>MASQ####</c>; <c>docs/diagnostics</c> has a page for each.</summary>
    public string Code { get; }

    /// <summary>The file that the error concerns, or null.</summary>
    public string? File { get; }

    /// <summary>The line of <see cref="File"/> (from 1), or 0 when the error concerns no line.</summary>
    public int Line { get; init; }

    /// <summary>The error in the canonical form that compilers print: <c>file(line): error MASQ0101: message</c>.</summary>
    public override string ToString()
    {
        var origin = File is null ? "masquant" : Line > 0 ? $"{File}({Line})" : File;
        return $"{origin}: error {Code}: {Message}";
    }
}
