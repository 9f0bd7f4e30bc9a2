using System.CommandLine;
using System.Globalization;
using System.Numerics;
using MASQuant.Cli.Completion;
using MASQuant.Cli.Output;
using MASQuant.Engine.Execution;

namespace MASQuant.Cli.Options;

/// <summary>Options whose values are checked while parsing, and whose messages name what is allowed.</summary>
internal static class CliOptions
{
    /// <summary>The argument of a file or folder that is read.</summary>
    public static Argument<string> Path(string name, string description) => new(name) { Description = description, CompletionSources = { PathCompletions.Of } };

    /// <summary>A text such as a file's name.</summary>
    public static Option<string> Text(string name, string label, string description, bool required = false)
    {
        var option = new Option<string>(name) { HelpName = label, Description = description, Required = required };
        return label is "FILE" or "DIR" ? option.Completed(label) : option;
    }

    /// <summary>A file or folder that is written when the work is done; <see cref="CommandLine"/> tries it before.</summary>
    public static WrittenOption Written(string name, string label, string description, bool required = false) => new(name, label, description) { Required = required };

    /// <summary><c>--json</c>: the answer for programs.</summary>
    /// <param name="answer">What it tells.</param>
    public static Option<bool> Json(string answer) => new(JsonAnswer.Switch) { Description = $"Answers with one JSON object on standard output: {answer}, or 'error' with code, message, file, line and remedy." };

    /// <summary>A number; without the option <paramref name="initial"/>.</summary>
    public static Option<T> Number<T>(string name, T initial, Func<T, bool> isAllowed, string allowed, string description, string? shown = null)
        where T : struct, INumber<T>
        => new(name)
        {
            HelpName = "NUMBER",
            Description = string.Create(CultureInfo.InvariantCulture, $"{description} Allowed: {allowed}. Default: {shown ?? $"{initial}"}."),
            DefaultValueFactory = _ => initial,
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && isAllowed(value))
                {
                    return value;
                }

                result.AddError($"'{text}' is not allowed for '{name}'. Allowed: {allowed}.");
                return initial;
            },
        };

    /// <summary>Where models run; without the option null, which leaves it to the environment.</summary>
    public static Option<string?> Device()
        => new("--device")
        {
            HelpName = "DEVICE",
            Description = $"Where models run: the processor, an NVIDIA GPU, or with auto a GPU if one is usable. Allowed: {DeviceChoice.Allowed}. Default: {DeviceChoice.EnvironmentVariable}, or cpu.",
            CustomParser = result =>
            {
                var name = result.Tokens[0].Value;
                if (!DeviceChoice.TryParse(name, out _))
                {
                    result.AddError($"'{name}' is not allowed for '--device'. Allowed: {DeviceChoice.Allowed}.");
                }

                return name;
            },
            CompletionSources = { _ => DeviceChoice.Allowed.Split(", ").Where(name => DeviceChoice.TryParse(name, out DeviceChoice _)) },
        };

    /// <summary>Words out of a list, separated by commas, in the list's spelling; without the option <paramref name="initial"/>.</summary>
    public static Option<string[]> Words(string name, string label, IReadOnlyList<string> allowed, IReadOnlyList<string> initial, string description)
        => new(name)
        {
            HelpName = label,
            Description = $"{description} Allowed: {string.Join(", ", allowed)}. Default: {string.Join(',', initial)}.",
            DefaultValueFactory = _ => [.. initial],
            CustomParser = result =>
            {
                var words = result.Tokens[0].Value.Split(',', StringSplitOptions.TrimEntries);
                var known = words.Select(word => allowed.FirstOrDefault(candidate => string.Equals(candidate, word, StringComparison.OrdinalIgnoreCase))).ToArray();
                foreach (var (word, _) in words.Zip(known).Where(pair => pair.Second is null))
                {
                    result.AddError($"'{word}' is not allowed for '{name}'. Allowed: {string.Join(", ", allowed)}.");
                }

                return [.. known.OfType<string>().Distinct()];
            },
            Arity = ArgumentArity.ExactlyOne,
            CompletionSources = { context => Continued(context.WordToComplete, allowed) },
        };

    /// <summary>An option that shells complete: by folders or files, or by words of its own.</summary>
    /// <param name="option">The option.</param>
    /// <param name="label">Its value's name in help: FILE, DIR or FOLDER.</param>
    public static T Completed<T>(this T option, string label)
        where T : Option
    {
        option.CompletionSources.Add(label == "FILE" ? PathCompletions.Of : PathCompletions.OfFolders);
        return option;
    }

    // A list's next word: behind 'W8A8,' come the others.
    private static IEnumerable<string> Continued(string begun, IReadOnlyList<string> allowed)
    {
        var head = begun[..(begun.LastIndexOf(',') + 1)];
        return allowed.Except(head.Split(',')).Select(word => head + word);
    }
}
