using MASQuant.Diagnostics;

namespace MASQuant;

/// <summary>An error whose cause lies outside the program: a file, an option, the machine.</summary>
public sealed class MASQuantException : Exception
{
    /// <summary>Creates an error.</summary>
    /// <param name="code">A code of <see cref="DiagnosticCodes"/>.</param>
    /// <param name="file">The file that it concerns, or null.</param>
    /// <param name="description">What is wrong, where, and last the remedy.</param>
    /// <param name="innerException">What it was found out by.</param>
    public MASQuantException(string code, string? file, string description, Exception? innerException = null)
        : base(VisibleText.Of(description), innerException)
    {
        Code = code;
        File = file;
        Description = base.Message;
    }

    /// <summary>The code, <c>MASQ####</c>; <c>docs/diagnostics</c> has a page for each.</summary>
    public string Code { get; }

    /// <summary>The file that the error concerns, or null.</summary>
    public string? File { get; }

    /// <summary>The line of <see cref="File"/> (from 1), or 0 when the error concerns no line.</summary>
    public int Line { get; init; }

    /// <summary>What is wrong, where, and last the remedy; in one line, control characters of others' text written out.</summary>
    public string Description { get; }

    /// <summary>Place, code and description: <c>config.json(3): MASQ0201: The file is not valid JSON.</c></summary>
    public override string Message => File is null ? $"{Code}: {Description}" : $"{Place}: {Code}: {Description}";

    /// <summary>The error in the form that compilers print: <c>file(line): error MASQ0101: description</c>.</summary>
    public string ToDiagnostic() => $"{Place}: error {Code}: {Description}";

    private string Place => File is null ? "masquant" : Line > 0 ? $"{VisibleText.Of(File)}({Line})" : VisibleText.Of(File);
}
