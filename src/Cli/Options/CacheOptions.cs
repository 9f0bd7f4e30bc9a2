using System.CommandLine;
using System.CommandLine.Parsing;
using MASQuant.Delivery.Caching;

namespace MASQuant.Cli.Options;

/// <summary>Which cache a command that quantizes asks and fills.</summary>
internal sealed class CacheOptions
{
    private const string None = "none";
    private readonly Option<string> _cache = CliOptions.Text("--cache", "DIR",
        $"The cache that builds share: a model that is there is copied, another one is put there. '{None}' uses no cache. Default: as builds, {CacheSettings.DirectoryWord} of the environment, or the user's cache folder.");

    /// <summary>Adds the option to a command.</summary>
    public void AddTo(Command command) => command.Add(_cache);

    /// <summary>Whether a command line names one.</summary>
    public bool IsIn(CommandResult parsed) => parsed.GetResult(_cache) is not null;

    /// <summary>The caches: those of the environment, with the folder that was given.</summary>
    /// <exception cref="MASQuantException">MASQ0932: a variable's value is not allowed.</exception>
    public CacheSettings Of(ParseResult parse) => parse.GetValue(_cache) switch
    {
        None => CacheSettings.None,
        { Length: > 0 } folder => CacheSettings.OfEnvironment() with { Folder = new CacheFolder(folder) },
        _ => CacheSettings.OfEnvironment(),
    };
}
