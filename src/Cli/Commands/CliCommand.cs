using System.CommandLine;

namespace MASQuant.Cli.Commands;

/// <summary>A command with what its help page shows beside its symbols.</summary>
/// <param name="name">Its word.</param>
/// <param name="description">What it does, one sentence.</param>
/// <param name="usage">What follows the name.</param>
/// <param name="examples">Whole command lines.</param>
internal sealed class CliCommand(string name, string description, string usage, params string[] examples) : Command(name, description)
{
    public string Usage { get; } = usage;

    public IReadOnlyList<string> Examples { get; } = examples;
}
