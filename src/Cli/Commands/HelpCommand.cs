using System.CommandLine;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant help</c>: the page that <c>--help</c> shows.</summary>
internal static class HelpCommand
{
    public const string Name = "help";

    public static Command Create(CommandConsole console, RootCommand root)
    {
        var topic = new Argument<string?>("COMMAND") { Arity = ArgumentArity.ZeroOrOne, Description = "The command to explain. Default: all of them, a line each." };
        topic.CompletionSources.Add(_ => root.Subcommands.Select(command => command.Name));
        topic.Validators.Add(result =>
        {
            if (Find(root, result.Tokens[0].Value) is null)
            {
                result.AddError(UsageErrors.UnknownCommand(result.Tokens[0].Value, root));
            }
        });
        var command = new CliCommand(Name, "Shows this page, or a command's.", "[COMMAND]", "masquant help quantize") { topic };
        command.SetAction(parse =>
        {
            HelpPage.Write(Find(root, parse.GetValue(topic)) ?? root, console.Output);
            return ExitCode.Done;
        });
        return command;
    }

    private static Command? Find(RootCommand root, string? name) => root.Subcommands.FirstOrDefault(command => command.Name == name);
}
