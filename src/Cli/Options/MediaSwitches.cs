using System.CommandLine;
using System.CommandLine.Parsing;
using MASQuant.Diagnostics;
using MASQuant.Platform;

namespace MASQuant.Cli.Options;

/// <summary>The media of a prompt, in the order of the command line.</summary>
internal sealed class MediaSwitches
{
    private const string Image = "--image";
    private const string Audio = "--audio";
    private const string Video = "--video";
    private const string Sound = "--sound";

    private readonly Option<string[]>[] _files =
    [
        Files(Image, "FILE", "A PNG or JPEG file. Media enter the prompt in the order given; their switches may be repeated."),
        Files(Audio, "FILE", "A WAV file."),
        Files(Video, "FOLDER", "A video: a folder of its frames, PNG or JPEG files whose names sort in the order of time."),
        Files(Sound, "FILE", "The sound of the --video before it, a WAV file; for models that hear videos."),
    ];

    private readonly Option<double> _framesPerSecond = CliOptions.Number("--fps", 2.0, rate => rate is >= 0.001 and <= 1000, "0.001…1000", "How many frames of a --video make a second.");

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        Array.ForEach(_files, command.Add);
        command.Add(_framesPerSecond);
    }

    /// <summary>Whether a command line has media.</summary>
    public bool AnyIn(CommandResult parsed) => _files.Any(option => parsed.GetResult(option) is { Implicit: false });

    /// <summary>Adds the media to a prompt.</summary>
    /// <exception cref="MASQuantException">MASQ0101: a folder cannot be read, or holds no frames.</exception>
    public void AddTo(Prompt prompt, ParseResult parse)
    {
        var media = Given(parse).ToArray();
        foreach (var (index, (kind, path)) in media.Index())
        {
            _ = kind switch
            {
                Image => prompt.Image(path),
                Audio => prompt.Audio(path),
                Video => prompt.Video(Frames(path), parse.GetValue(_framesPerSecond), index + 1 < media.Length && media[index + 1] is (Sound, var sound) ? sound : null),
                _ => prompt,
            };
        }
    }

    /// <summary>What is wrong with the order of a command line's media.</summary>
    public static IEnumerable<string> Misplaced(ParseResult parse)
    {
        var last = "";
        foreach (var (kind, path) in Given(parse))
        {
            if (kind == Sound && last != Video)
            {
                yield return $"'{Sound} {path}' follows no '{Video}'. Give a video's sound behind its folder, any other clip as '{Audio}'.";
            }

            last = kind;
        }
    }

    private static IEnumerable<(string Kind, string Path)> Given(ParseResult parse) => parse.Tokens.Zip(parse.Tokens.Skip(1))
        .Where(pair => pair.First is { Type: TokenType.Option, Value: Image or Audio or Video or Sound })
        .Select(pair => (pair.First.Value, pair.Second.Value));

    private static string[] Frames(string folder)
    {
        try
        {
            string[] frames = [.. FileSystem.Current.Files(folder).Select(file => Path.Combine(folder, file.Name)).Where(IsPicture).Order(StringComparer.Ordinal)];
            return frames.Length > 0 ? frames : throw new MASQuantException(DiagnosticCodes.FileNotReadable, folder, $"The folder holds no frame. Give a folder of PNG or JPEG files to '{Video}', as ffmpeg writes them: 0001.png, 0002.png, ….");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MASQuantException(DiagnosticCodes.FileNotReadable, folder, $"The video's folder cannot be read: {error.Message.TrimEnd('.')}. Give a folder of PNG or JPEG files to '{Video}'.", error);
        }
    }

    private static bool IsPicture(string path) => Path.GetExtension(path).ToLowerInvariant() is ".png" or ".jpg" or ".jpeg";

    private static Option<string[]> Files(string name, string label, string description) => new Option<string[]>(name) { HelpName = label, Description = description }.Completed(label);
}
