using System.CommandLine;
using System.Text;
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
        var model = CliOptions.Path("MODEL", "A checkpoint's folder or an artifact.");
        var text = new Argument<string?>("TEXT") { Arity = ArgumentArity.ZeroOrOne, Description = "The question; it follows the media. '-' reads it from standard input. One that begins with a dash goes behind '--'." };
        var system = CliOptions.Text("--system", "TEXT", "The system message. Default: the family's own, if it has one.");
        var conversation = CliOptions.Text("--conversation", "FILE", "In place of TEXT, media and --system: a conversation as a line of a calibration set has it, without its last answer; '-' reads it from standard input.");
        var generation = new GenerationSwitches();
        var device = CliOptions.Device();
        var json = CliOptions.Json("text, with --think thought, end, promptTokens and generatedTokens, when the answer is whole");
        var command = new CliCommand("run", "Answers a prompt of text, images, audio and videos.", "MODEL [--image FILE | --audio FILE | --video FOLDER]… [options] TEXT",
            "masquant run models/omni-tiny --audio speech.wav \"Transcribe the speech.\"",
            "masquant run out/OmniTiny.masquant.safetensors --image digits.png --audio speech.wav \"Does the speech match the image?\"",
            "git diff | masquant run out/OmniTiny.masquant.safetensors -")
        { model, text };
        var media = new MediaSwitches();
        media.AddTo(command);
        command.Add(system);
        command.Add(conversation);
        command.Add(device);
        command.Add(json);
        var limits = new LimitSwitches();
        limits.AddTo(command);
        foreach (var option in generation.All)
        {
            command.Add(option);
        }

        command.Validators.Add(parsed =>
        {
            var isConversation = parsed.GetResult(conversation) is not null;
            if (isConversation == parsed.GetResult(text) is { Tokens.Count: > 0 })
            {
                parsed.AddError(isConversation ? "A conversation has its own text. Give '--conversation' or TEXT." : "Give the question, TEXT, or '-' to read it from standard input.");
            }
            else if (isConversation && (parsed.GetResult(system) is not null || media.AnyIn(parsed)))
            {
                parsed.AddError("A conversation has its own system message and media. Leave '--system', '--image', '--audio' and '--video' out.");
            }
        });
        command.SetAction(parse =>
        {
            // Whoever pipes may be slow, or wrong: before the model is loaded.
            var input = new PromptText(console, cancellationToken);
            var prompt = parse.GetValue(conversation) is { } file ? input.Conversation(file) : PromptOf(parse.GetValue(system), parse, media, input.Text(parse.GetRequiredValue(text)!));
            using var loaded = LoadedModel.Load(parse.GetRequiredValue(model), limits.Of(parse) with { Device = parse.GetValue(device), Limits = ImageBudget.OwnPrompts });
            foreach (var warning in new[] { loaded.ChatTemplateWarning, loaded.ProcessorWarning }.OfType<MASQuantException>())
            {
                console.Warn(warning);
            }

            return Run(console, loaded, prompt, generation.Read(parse, loaded.RecommendedOptions), parse.GetValue(json), cancellationToken);
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

    private static int Run(CommandConsole console, LoadedModel model, Prompt prompt, GenerationOptions options, bool json, CancellationToken cancellationToken)
    {
        var started = Clock.Current.GetTimestamp();
        var firstPiece = TimeSpan.Zero;
        var begun = false;
        var thinks = false;
        var whole = new StringBuilder();
        var thought = new StringBuilder();
        var last = default(BatchPiece);
        try
        {
            foreach (var piece in model.GeneratePieces(prompt, options, cancellationToken))
            {
                firstPiece = firstPiece == TimeSpan.Zero ? Clock.Current.GetElapsedTime(started) : firstPiece;
                if (json)
                {
                    whole.Append(piece.Text);
                    thought.Append(piece.Thought);
                }
                else
                {
                    thinks |= Write(console.Error, piece.Thought ?? "");
                    if (thinks && piece.Text.Length > 0)
                    {
                        console.Error.WriteLine();
                        thinks = false;
                    }

                    begun |= Write(console.Answers, piece.Text);
                }

                last = piece;
            }
        }
        finally
        {
            // Also after Ctrl-C: what follows begins a line.
            if (thinks)
            {
                console.Error.WriteLine();
            }

            if (!json && (begun || !cancellationToken.IsCancellationRequested))
            {
                console.Answers.WriteLine();
                console.Answers.Flush();
            }
        }

        var usage = last.Usage!.Value;
        if (json)
        {
            JsonAnswer.Write(console, answer =>
            {
                answer.WriteString("text", whole.ToString());
                if (options.Thinks)
                {
                    answer.WriteString("thought", thought.ToString());
                }

                answer.WriteString("end", last.End.ToString());
                answer.WriteNumber("promptTokens", usage.PromptTokens);
                answer.WriteNumber("generatedTokens", usage.GeneratedTokens);
            });
        }

        var decoding = Clock.Current.GetElapsedTime(started) - firstPiece;
        var rate = usage.GeneratedTokens > 1 ? $", then {Figures.Fixed((usage.GeneratedTokens - 1) / decoding.TotalSeconds, 1)} tokens/s" : "";
        var drafted = usage.DraftedTokens > 0 ? $", {usage.DraftedTokens} of them guessed ahead" : "";
        console.Error.WriteLine($"{usage.PromptTokens} prompt tokens; {usage.GeneratedTokens} generated{drafted}, the first after {Figures.Duration(firstPiece)}{rate}.");
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
