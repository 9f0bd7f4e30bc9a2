using System.CommandLine;
using MASQuant.Cli.Completion;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Models;
using MASQuant.Platform;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant run</c>: asks a model.</summary>
internal static class RunCommand
{
    public static Command Create(CommandConsole console, CancellationToken cancellationToken)
    {
        var model = new Argument<string>("MODEL") { Description = "A checkpoint's folder or an artifact.", CompletionSources = { PathCompletions.Of } };
        var text = new Argument<string>("TEXT") { Description = "The question; it follows the media. One that begins with a dash goes behind '--'." };
        var system = CliOptions.Text("--system", "TEXT", "The system message. Default: the family's own, if it has one.");
        var generation = new GenerationSwitches();
        var device = CliOptions.Device();
        var command = new CliCommand("run", "Answers a prompt of text, images, audio and videos.", "MODEL [--image FILE | --audio FILE | --video FOLDER]… [options] TEXT",
            "masquant run models/omni-tiny --audio speech.wav \"Transcribe the speech.\"",
            "masquant run out/OmniTiny.masquant.safetensors --image digits.png --audio speech.wav \"Does the speech match the image?\"")
        { model, text };
        var media = new MediaSwitches();
        media.AddTo(command);
        command.Add(system);
        command.Add(device);
        var limits = new LimitSwitches();
        limits.AddTo(command);
        foreach (var option in generation.All)
        {
            command.Add(option);
        }

        command.SetAction(parse =>
        {
            using var loaded = LoadedModel.Load(parse.GetRequiredValue(model), limits.Of(parse) with { Device = parse.GetValue(device), Limits = ImageBudget.OwnPrompts });
            if (loaded.ChatTemplateWarning is { } warning)
            {
                console.Warn(warning);
            }

            return Run(console, loaded, PromptOf(parse.GetValue(system), parse, media, parse.GetRequiredValue(text)), generation.Read(parse, loaded.RecommendedOptions), cancellationToken);
        });
        return command;
    }

    /// <summary>What a command line asks: system message, media, text.</summary>
    internal static Prompt PromptOf(string? system, ParseResult parse, MediaSwitches media, string text)
    {
        var prompt = new Prompt();
        if (system is not null)
        {
            prompt.System(system);
        }

        media.AddTo(prompt, parse);
        return prompt.Text(text);
    }

    private static int Run(CommandConsole console, LoadedModel model, Prompt prompt, GenerationOptions options, CancellationToken cancellationToken)
    {
        var started = Clock.Current.GetTimestamp();
        var firstPiece = TimeSpan.Zero;
        var begun = false;
        var last = default(BatchPiece);
        try
        {
            foreach (var piece in model.GeneratePieces(prompt, options, cancellationToken))
            {
                firstPiece = firstPiece == TimeSpan.Zero ? Clock.Current.GetElapsedTime(started) : firstPiece;
                begun |= Write(console.Answers, piece.Text);
                last = piece;
            }
        }
        finally
        {
            // Also after Ctrl-C: what follows begins a line.
            if (begun || !cancellationToken.IsCancellationRequested)
            {
                console.Answers.WriteLine();
                console.Answers.Flush();
            }
        }

        var usage = last.Usage!.Value;
        var decoding = Clock.Current.GetElapsedTime(started) - firstPiece;
        var rate = usage.GeneratedTokens > 1 ? $", then {Figures.Fixed((usage.GeneratedTokens - 1) / decoding.TotalSeconds, 1)} tokens/s" : "";
        console.Error.WriteLine($"{usage.PromptTokens} prompt tokens; {usage.GeneratedTokens} generated, the first after {Figures.Duration(firstPiece)}{rate}.");
        if (last.End == EndReason.Length)
        {
            console.Error.WriteLine(usage.GeneratedTokens == options.MaxTokens
                ? $"The answer may be cut off: it has --max-tokens {options.MaxTokens}."
                : $"The answer is cut off: prompt and answer fill the model's {model.Config.Text.MaxPositions} positions.");
        }

        return ExitCode.Done;
    }

    private static bool Write(TextWriter output, string piece)
    {
        output.Write(piece);
        output.Flush();
        return piece.Length > 0;
    }
}
