namespace MASQuant.Cli.Output;

/// <summary>Where a command writes: answers to <paramref name="Output"/>, all else to <paramref name="Error"/>.</summary>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="ErrorIsTerminal">Whether <paramref name="Error"/> can rewrite its last line.</param>
internal sealed record CommandConsole(TextWriter Output, TextWriter Error, bool ErrorIsTerminal)
{
    private const int UnknownWidth = 80;

    /// <summary>The terminal's width in characters.</summary>
    public int Width => ErrorIsTerminal && Console.WindowWidth > 0 ? Console.WindowWidth : UnknownWidth;

    /// <summary>Writes a problem that stops nothing, in the form that compilers print.</summary>
    public void Warn(MASQuantException problem)
        => Error.WriteLine($"{problem.File ?? CommandLine.Name}{(problem.Line > 0 ? FormattableString.Invariant($"({problem.Line})") : "")}: warning {problem.Code}: {problem.Description}");
}
