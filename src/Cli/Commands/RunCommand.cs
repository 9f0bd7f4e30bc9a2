using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Models;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant run</c>: asks a model.</summary>
internal static class RunCommand
{
    private const string ImageSwitch = "--image";
    private const string AudioSwitch = "--audio";

    public static Command Create(CommandConsole console, CancellationToken cancellationToken)
    {
        var model = new Argument<string>("MODEL") { Description = "A checkpoint's folder or an artifact." };
        var text = new Argument<string>("TEXT") { Description = "The question; it follows the media. One that begins with a dash goes behind '--'." };
        var image = new Option<string[]>(ImageSwitch) { HelpName = "FILE", Description = "A PNG or JPEG file. Images and clips enter the prompt in the order given; both may be repeated." };
        var audio = new Option<string[]>(AudioSwitch) { HelpName = "FILE", Description = "A WAV file." };
        var system = CliOptions.Text("--system", "TEXT", "The system message. Default: the family's own, if it has one.");
        var generation = new GenerationSwitches();
        var device = CliOptions.Device();
        var command = new CliCommand("run", "Answers a prompt of text, images and audio.", "MODEL [--image FILE | --audio FILE]… [options] TEXT",
            "masquant run models/omni-tiny --audio speech.wav \"Transcribe the speech.\"",
            "masquant run out/OmniTiny.masquant.safetensors --image digits.png --audio speech.wav \"Does the speech match the image?\"")
        { model, text, image, audio, system, device };
        var pixels = new PixelSwitches();
        pixels.AddTo(command);
        foreach (var option in generation.All)
        {
            command.Add(option);
        }

        command.SetAction(parse =>
        {
            using var loaded = LoadedModel.Load(parse.GetRequiredValue(model), new ModelOptions { Device = parse.GetValue(device), MinPixels = pixels.Min(parse), MaxPixels = pixels.Max(parse), Limits = ImageBudget.OwnPrompts });
            return Run(console, loaded, PromptOf(parse.GetValue(system), Media(parse), parse.GetRequiredValue(text)), generation.Read(parse, loaded.RecommendedOptions), cancellationToken);
        });
        return command;
    }

    /// <summary>The media in the order of the command line.</summary>
    internal static IEnumerable<(bool IsImage, string Path)> Media(ParseResult parse)
    {
        foreach (var (token, value) in parse.Tokens.Zip(parse.Tokens.Skip(1)))
        {
            if (token.Type == TokenType.Option && token.Value is ImageSwitch or AudioSwitch)
            {
                yield return (token.Value == ImageSwitch, value.Value);
            }
        }
    }

    internal static Prompt PromptOf(string? system, IEnumerable<(bool IsImage, string Path)> media, string text)
    {
        var prompt = new Prompt();
        if (system is not null)
        {
            prompt.System(system);
        }

        foreach (var (isImage, path) in media)
        {
            _ = isImage ? prompt.Image(path) : prompt.Audio(path);
        }

        return prompt.Text(text);
    }

    private static int Run(CommandConsole console, LoadedModel model, Prompt prompt, GenerationOptions options, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var firstPiece = TimeSpan.Zero;
        var begun = false;
        var last = default(BatchPiece);
        try
        {
            foreach (var piece in model.GeneratePieces(prompt, options, cancellationToken))
            {
                firstPiece = firstPiece == TimeSpan.Zero ? clock.Elapsed : firstPiece;
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
        var decoding = clock.Elapsed - firstPiece;
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
