namespace MASQuant.Cli.Output;

/// <summary>Where a command writes: what was asked for to <see cref="Output"/>, all else to <see cref="Error"/>.</summary>
/// <param name="output">Standard output.</param>
/// <param name="error">Standard error.</param>
/// <param name="errorIsTerminal">Whether <paramref name="error"/> can rewrite its last line.</param>
internal sealed class CommandConsole(TextWriter output, TextWriter error, bool errorIsTerminal)
{
    private const int UnknownWidth = 80;

    /// <summary>Standard output. Whatever is written, nothing steers a terminal or a log.</summary>
    public TextWriter Output { get; } = new VisibleWriter(output);

    /// <summary>Standard error, likewise.</summary>
    public TextWriter Error { get; } = new VisibleWriter(error);

    /// <summary>Standard input.</summary>
    public TextReader Input { get; init; } = TextReader.Null;

    /// <summary>Whether <see cref="Error"/> can rewrite its last line.</summary>
    public bool ErrorIsTerminal { get; } = errorIsTerminal;

    /// <summary>Whether <see cref="Output"/> is read by people.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>Where a model's answers go: to programs and files as they are, to people as all else.</summary>
    public TextWriter Answers => OutputIsTerminal ? Output : output;

    /// <summary>Standard error for what steers a terminal.</summary>
    public TextWriter Terminal => error;

    /// <summary>The terminal's width in characters.</summary>
    public int Width => ErrorIsTerminal && Console.WindowWidth > 0 ? Console.WindowWidth : UnknownWidth;

    /// <summary>Writes a problem that stops nothing, in the form that compilers print.</summary>
    public void Warn(MASQuantException problem)
        => Error.WriteLine($"{VisibleText.Of(problem.File ?? CommandLine.Name)}{(problem.Line > 0 ? FormattableString.Invariant($"({problem.Line})") : "")}: warning {problem.Code}: {problem.Description}");
}
