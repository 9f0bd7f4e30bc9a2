using System.Text;
using MASQuant.Cli.Output;

namespace MASQuant.Cli.Tests;

/// <summary>A command run in this process: what it wrote and returned.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    public static CommandRun Of(params string[] args)
    {
        using var error = new StringWriter { NewLine = "\n" };
        return Of(error, CancellationToken.None, args);
    }

    /// <summary>Presses Ctrl-C as soon as a line that begins with <paramref name="cue"/> is written to standard error.</summary>
    public static CommandRun CancelledAt(string cue, params string[] args)
    {
        using var cancellation = new CancellationTokenSource();
        using var error = new CueWriter(cue, cancellation);
        return Of(error, cancellation.Token, args);
    }

    private static CommandRun Of(TextWriter error, CancellationToken cancellationToken, string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var code = CommandLine.Run(args, new CommandConsole(output, error, errorIsTerminal: false), cancellationToken);
        return new CommandRun(code, output.ToString(), error.ToString()!);
    }

    private sealed class CueWriter(string cue, CancellationTokenSource cancellation) : TextWriter
    {
        private readonly StringBuilder _text = new();

        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value)
        {
            _text.Append(value).Append('\n');
            if (value?.StartsWith(cue, StringComparison.Ordinal) == true)
            {
                cancellation.Cancel();
            }
        }

        public override string ToString() => _text.ToString();
    }
}
