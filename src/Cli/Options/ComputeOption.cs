using System.CommandLine;
using MASQuant.Quantization.Compute;

namespace MASQuant.Cli.Options;

/// <summary>Where a command that quantizes finds what computes with libtorch.</summary>
internal sealed class ComputeOption
{
    private readonly Option<string> _assembly = CliOptions.Text("--compute-assembly", "FILE", "MASQuant.Torch.dll of the package MASQuant.Build.Torch, which --compute Torch:cpu and Torch:cuda need.");

    /// <summary>Adds the option to a command.</summary>
    public void AddTo(Command command) => command.Add(_assembly);

    /// <summary>The assembly that was given, or null.</summary>
    public ComputeAssembly? Of(ParseResult parse) => ComputeAssembly.At(parse.GetValue(_assembly));
}
