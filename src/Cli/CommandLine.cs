using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using MASQuant.Cli.Commands;
using MASQuant.Cli.Completion;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Diagnostics;
using MASQuant.Formats.Checkpoints;

namespace MASQuant.Cli;

/// <summary>From words to an exit code.</summary>
internal static class CommandLine
{
    public const string Name = "masquant";

    internal static readonly ParserConfiguration Parsing = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    /// <summary>Runs one command line; every failure becomes a message and an exit code.</summary>
    public static int Run(string[] args, CommandConsole console, CancellationToken cancellationToken)
    {
        try
        {
            var root = CreateRoot(console, cancellationToken);
            var parse = root.Parse(args.Length > 0 ? args : [HelpCommand.Name], Parsing);
            var errors = UsageErrors.Of(parse);
            if (errors.Count > 0 && parse.Action is not (HelpPage or VersionPage or SuggestAction))
            {
                return Refuse(errors, parse.CommandResult.Command);
            }

            if (parse.Action is not (HelpPage or VersionPage or SuggestAction))
            {
                TryOutputs(parse);
            }

            return parse.Invoke(new InvocationConfiguration { Output = console.Output, Error = console.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            console.Error.WriteLine("Cancelled.");
            return ExitCode.Cancelled;
        }
        catch (MASQuantException error)
        {
            return Fail(error, ExitCode.BadInput);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Fail(new MASQuantException(DiagnosticCodes.FileSystemRefused, null, $"{error.Message.TrimEnd('.')}. Check permissions and free space, then run the command again."), ExitCode.BadInput);
        }
        catch (OutOfMemoryException)
        {
            return Fail(new MASQuantException(DiagnosticCodes.NotEnoughMemory, null, "There is not enough memory. Use a machine, or a container, with more, shorter prompts and smaller media, or fewer calibration samples."), ExitCode.BadInput);
        }
        catch (Exception error)
        {
            var code = Fail(new MASQuantException(DiagnosticCodes.InternalError, null, "An internal error, a defect of masquant. Please report it with the command and what follows."), ExitCode.Internal);
            console.Error.WriteLine(error);
            return code;
        }

        int Refuse(IReadOnlyList<string> errors, Command command)
        {
            foreach (var message in errors.SkipLast(1))
            {
                console.Error.WriteLine(new MASQuantException(DiagnosticCodes.CommandLineInvalid, null, message).ToDiagnostic());
            }

            var code = Fail(new MASQuantException(DiagnosticCodes.CommandLineInvalid, null, errors[^1]), ExitCode.Usage);
            console.Error.WriteLine(command is CliCommand and not { Name: HelpCommand.Name } ? $"See '{Name} help {command.Name}'." : $"See '{Name} help'.");
            return code;
        }

        int Fail(MASQuantException error, int code)
        {
            console.Error.WriteLine(error.ToDiagnostic());
            if (args.TakeWhile(word => word != "--").Contains(JsonAnswer.Switch))
            {
                JsonAnswer.WriteError(console, error);
            }

            return code;
        }
    }

    // Before hours of work, not behind them.
    private static void TryOutputs(ParseResult parse)
    {
        foreach (var option in parse.CommandResult.Command.Options.OfType<WrittenOption>())
        {
            option.Try(parse);
        }
    }

    /// <summary>The tree of commands.</summary>
    internal static RootCommand CreateRoot(CommandConsole console, CancellationToken cancellationToken)
    {
        var root = new RootCommand($"Quantizes {ModelFamilies.Known.Names("and")} models with MASQuant, inspects, runs and evaluates them.")
        {
            QuantizeCommand.Create(console, cancellationToken),
            JoinCommand.Create(console, cancellationToken),
            PlanCommand.Create(console, cancellationToken),
            InspectCommand.Create(console),
            RunCommand.Create(console, cancellationToken),
            ServeCommand.Create(console, cancellationToken),
            EvaluateCommand.Create(console, cancellationToken),
            CompareCommand.Create(console, cancellationToken),
            TuneCommand.Create(console, cancellationToken),
            CacheCommand.Create(console, cancellationToken),
            CompletionCommand.Create(console),
        };
        root.Add(HelpCommand.Create(console, root));
        var suggest = root.Directives.OfType<SuggestDirective>().Single();
        suggest.Action = new SuggestAction(console, suggest);
        root.Options.OfType<HelpOption>().Single().Action = new HelpPage(console);
        root.Options.OfType<HelpOption>().Single().Description = "Shows this page.";
        root.Options.OfType<VersionOption>().Single().Action = new VersionPage(console);
        root.Options.OfType<VersionOption>().Single().Description = "Shows the version.";
        return root;
    }
}
