using System.CommandLine;
using System.CommandLine.Invocation;
using MASQuant.Cli.Output;
using MASQuant.Quantization.Run;

namespace MASQuant.Cli.Options;

/// <summary>Answers <c>--version</c>: the version that artifacts name.</summary>
internal sealed class VersionPage(CommandConsole console) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        console.Output.WriteLine(ToolVersion.Current);
        return ExitCode.Done;
    }
}
