using System.CommandLine;
using MASQuant.Cli.Completion;
using MASQuant.Formats.Files;

namespace MASQuant.Cli.Options;

/// <summary>A file or folder that is written when the work is done, and tried before it.</summary>
internal sealed class WrittenOption : Option<string>
{
    /// <summary>Standard output, where <see cref="MayBeStandardOutput"/>.</summary>
    public const string StandardOutput = "-";

    private const string Folder = "DIR";

    /// <param name="name">The switch.</param>
    /// <param name="label">FILE or DIR.</param>
    /// <param name="description">For help.</param>
    public WrittenOption(string name, string label, string description)
        : base(name)
    {
        (HelpName, Description) = (label, description);
        CompletionSources.Add(label == Folder ? PathCompletions.OfFolders : PathCompletions.Of);
        Validators.Add(result =>
        {
            if (result.Tokens is [.., var token] && ProblemOf(token.Value) is { } problem)
            {
                result.AddError($"{problem} ('{name}')");
            }
        });
    }

    /// <summary>Whether '-' stands for standard output.</summary>
    public bool MayBeStandardOutput { get; init; }

    /// <summary>Tries whether what a command line names can be written.</summary>
    /// <exception cref="MASQuantException">MASQ0111: it cannot.</exception>
    public void Try(ParseResult parse)
    {
        if (parse.GetValue(this) is not { } path || path == StandardOutput)
        {
            return;
        }

        if (HelpName == Folder)
        {
            WritableTarget.RequireFolder(path);
        }
        else
        {
            WritableTarget.RequireFile(path);
        }
    }

    private string? ProblemOf(string path) => path switch
    {
        "" => "The name is empty. Give one.",
        StandardOutput when !MayBeStandardOutput => $"'-' is no file's name here. Give one, './-' if it is meant.",
        _ => FileNames.ProblemOf(path),
    };
}
