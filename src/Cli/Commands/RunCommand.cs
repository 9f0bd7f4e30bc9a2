using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Text;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant run</c>: asks a model.</summary>
internal static class RunCommand
{
    private const string ImageSwitch = "--image";
    private const string AudioSwitch = "--audio";

    public static Command Create(CommandConsole console, CancellationToken cancellationToken)
    {
        var defaults = new GenerationOptions();
        var model = new Argument<string>("MODEL") { Description = "A checkpoint's folder or an artifact." };
        var text = new Argument<string>("TEXT") { Description = "The question; it follows the media. One that begins with a dash goes behind '--'." };
        var image = new Option<string[]>(ImageSwitch) { HelpName = "FILE", Description = "A PNG or JPEG file. Images and clips enter the prompt in the order given; both may be repeated." };
        var audio = new Option<string[]>(AudioSwitch) { HelpName = "FILE", Description = "A WAV file." };
        var system = CliOptions.Text("--system", "TEXT", "The system message. Default: the family's own, if it has one.");
        var maxTokens = CliOptions.Number("--max-tokens", defaults.MaxTokens, value => value >= 1, "1 or more", "The most tokens to generate.");
        var temperature = CliOptions.Number("--temperature", defaults.Temperature, value => value is >= 0 and <= 100, "0…100", "0 always takes the most probable token; above, tokens are sampled.");
        var topP = CliOptions.Number("--top-p", defaults.TopP, value => value is > 0 and <= 1, "above 0, at most 1", "Samples only from the most probable tokens that together reach this probability.");
        var topK = CliOptions.Number("--top-k", defaults.TopK, value => value >= 0, "0 (all) or more", "Samples only from this many most probable tokens.");
        var seed = CliOptions.Number("--seed", defaults.Seed, _ => true, "0…18446744073709551615", "The same seed gives the same answer.");
        var device = CliOptions.Device();
        var command = new CliCommand("run", "Answers a prompt of text, images and audio.", "MODEL [--image FILE | --audio FILE]… [options] TEXT",
            "masquant run models/omni-tiny --audio speech.wav \"Transcribe the speech.\"",
            "masquant run out/OmniTiny.masquant.safetensors --image digits.png --audio speech.wav \"Does the speech match the image?\"")
        { model, text, image, audio, system, maxTokens, temperature, topP, topK, seed, device };
        command.SetAction(parse =>
        {
            var options = new GenerationOptions
            {
                MaxTokens = parse.GetValue(maxTokens),
                Temperature = parse.GetValue(temperature),
                TopP = parse.GetValue(topP),
                TopK = parse.GetValue(topK),
                Seed = parse.GetValue(seed),
            };
            return Run(console, parse.GetRequiredValue(model), parse.GetValue(device), PromptOf(parse.GetValue(system), Media(parse), parse.GetRequiredValue(text)), options, cancellationToken);
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

    private static int Run(CommandConsole console, string path, string? device, Prompt prompt, GenerationOptions options, CancellationToken cancellationToken)
    {
        using var model = LoadedModel.Load(path, new ModelOptions { Device = device });
        var clock = Stopwatch.StartNew();
        var prepared = model.Prepare(prompt, cancellationToken);
        var stream = new TokenStream(model.Tokenizer);
        var firstToken = TimeSpan.Zero;
        var tokens = 0;
        var begun = false;
        try
        {
            foreach (var id in model.GenerateTokens(prepared, options, cancellationToken))
            {
                firstToken = tokens++ == 0 ? clock.Elapsed : firstToken;
                begun |= Write(console.Output, stream.Append(id));
            }

            begun |= Write(console.Output, stream.Flush());
        }
        finally
        {
            // Also after Ctrl-C: what follows begins a line.
            if (begun || !cancellationToken.IsCancellationRequested)
            {
                console.Output.WriteLine();
                console.Output.Flush();
            }
        }

        var decoding = clock.Elapsed - firstToken;
        var rate = tokens > 1 ? $", then {Figures.Fixed((tokens - 1) / decoding.TotalSeconds, 1)} tokens/s" : "";
        console.Error.WriteLine($"{prepared.InputIds.Length} prompt tokens; {tokens} generated, the first after {Figures.Duration(firstToken)}{rate}.");
        return ExitCode.Done;
    }

    private static bool Write(TextWriter output, string piece)
    {
        output.Write(piece);
        output.Flush();
        return piece.Length > 0;
    }
}
