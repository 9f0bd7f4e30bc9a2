using System.CommandLine;
using System.Globalization;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Delivery.Caching;
using MASQuant.Diagnostics;
using MASQuant.Platform;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant cache</c>: what the shared cache of builds holds, whether it is whole, and making it smaller.</summary>
internal static class CacheCommand
{
    private const string Stats = "stats";
    private const string Verify = "verify";
    private const string Clean = "clean";
    private static readonly string[] Actions = [Stats, Verify, Clean];

    public static Command Create(CommandConsole console, CancellationToken cancellationToken)
    {
        var action = new Argument<string>("ACTION") { Description = "stats: sizes, entries and hits. verify: hashes every file and removes what is damaged. clean: removes what no build works with." };
        action.Validators.Add(result =>
        {
            if (!Actions.Contains(result.Tokens[0].Value))
            {
                result.AddError($"'{result.Tokens[0].Value}' is not allowed for 'ACTION'. Allowed: {string.Join(", ", Actions)}.");
            }
        });
        action.CompletionSources.Add(_ => Actions);
        var directory = CliOptions.Text("--directory", "DIR", $"The cache's folder. Default: {CacheSettings.DirectoryWord} of the environment, or the user's cache folder.");
        var olderThan = Parsed("--older-than", "AGE", CacheAge.Read, CacheAge.Allowed, "clean: only what was last used longer ago.");
        var maxBytes = Parsed("--max-bytes", "BYTES", ByteCount.Read, ByteCount.Allowed, "clean: only until the cache has no more, the least recently used first.");
        var json = CliOptions.Json("numbers, of bytes and of files");
        var command = new CliCommand("cache", "Shows, verifies or cleans the cache that builds share.", $"{string.Join('|', Actions)} [--directory DIR] [--older-than AGE] [--max-bytes BYTES] [--json]",
            "masquant cache stats",
            "masquant cache clean --older-than 30d")
        { action, directory, olderThan, maxBytes, json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(action) != Clean && (result.GetResult(olderThan) is { Implicit: false } || result.GetResult(maxBytes) is { Implicit: false }))
            {
                result.AddError($"'--older-than' and '--max-bytes' belong to '{Clean}'.");
            }
        });
        command.SetAction(parse => parse.GetRequiredValue(action) switch
        {
            Stats => ShowStats(console, FolderOf(parse.GetValue(directory)), parse.GetValue(json)),
            Verify => VerifyAll(console, FolderOf(parse.GetValue(directory)), parse.GetValue(json), cancellationToken),
            _ => CleanUp(console, FolderOf(parse.GetValue(directory)), parse.GetValue(olderThan), parse.GetValue(maxBytes), parse.GetValue(json), cancellationToken),
        });
        return command;
    }

    private static int ShowStats(CommandConsole console, CacheFolder folder, bool json)
    {
        var inventory = CacheInventory.Of(folder);
        var counters = CacheCounters.Read(folder);
        if (json)
        {
            JsonAnswer.Write(console, answer =>
            {
                answer.WriteString("directory", folder.Path);
                answer.WriteNumber("artifacts", inventory.Entries.Count);
                answer.WriteNumber("unfinishedRuns", inventory.Runs.Count);
                answer.WriteNumber("bytes", inventory.Bytes);
                answer.WriteNumber("unfinishedBytes", inventory.Runs.Sum(run => run.Bytes));
                answer.WriteNumber("taken", counters.Local);
                answer.WriteNumber("downloaded", counters.Remote);
                answer.WriteNumber("quantized", counters.Quantized);
            });
            return ExitCode.Done;
        }

        var table = new TextTable(1, folder.Path, "");
        table.Add("artifacts", Number(inventory.Entries.Count));
        table.Add("unfinished runs", Number(inventory.Runs.Count));
        table.Add("size", ByteCount.Write(inventory.Bytes));
        table.Add("of unfinished runs", ByteCount.Write(inventory.Runs.Sum(run => run.Bytes)));
        table.Add("taken from here", Number(counters.Local));
        table.Add("downloaded", Number(counters.Remote));
        table.Add("quantized", Number(counters.Quantized));
        table.Add("hits", counters.Asked == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{100.0 * (counters.Asked - counters.Quantized) / counters.Asked:F1} %"));
        table.Add("least recent use", inventory.Entries.Count == 0 ? "-" : inventory.Entries.Min(entry => entry.LastUse).ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture));
        table.Write(console.Output);
        return ExitCode.Done;
    }

    private static int VerifyAll(CommandConsole console, CacheFolder folder, bool json, CancellationToken cancellationToken)
    {
        var (read, removed) = CacheVerification.Run(folder, cancellationToken);
        if (json)
        {
            JsonAnswer.Write(console, answer =>
            {
                answer.WriteString("directory", folder.Path);
                answer.WriteNumber("filesRead", read);
                answer.WriteStartArray("removed");
                foreach (var line in removed)
                {
                    answer.WriteStringValue(line);
                }

                answer.WriteEndArray();
            });
            return removed.Count == 0 ? ExitCode.Done : ExitCode.BadInput;
        }

        foreach (var line in removed)
        {
            console.Output.WriteLine($"removed {line}");
        }

        console.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{read} files read, {removed.Count} damaged and removed: {folder.Path}"));
        return removed.Count == 0 ? ExitCode.Done : ExitCode.BadInput;
    }

    private static int CleanUp(CommandConsole console, CacheFolder folder, TimeSpan? olderThan, long? maxBytes, bool json, CancellationToken cancellationToken)
    {
        // Without a limit everything goes.
        var trimmed = CacheTrim.Run(folder, maxBytes ?? (olderThan is null ? 0 : null), Clock.UtcNow - olderThan, cancellationToken);
        if (json)
        {
            JsonAnswer.Write(console, answer =>
            {
                answer.WriteString("directory", folder.Path);
                answer.WriteNumber("entriesRemoved", trimmed.Removed);
                answer.WriteNumber("bytesFreed", trimmed.BytesFreed);
                answer.WriteNumber("bytesLeft", trimmed.BytesLeft);
            });
            return ExitCode.Done;
        }

        console.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{trimmed.Removed} entries removed, {ByteCount.Write(trimmed.BytesFreed)} freed, {ByteCount.Write(trimmed.BytesLeft)} left: {folder.Path}"));
        return ExitCode.Done;
    }

    private static CacheFolder FolderOf(string? given)
    {
        var path = given is { Length: > 0 } ? given
            : Environment.GetEnvironmentVariable(CacheSettings.DirectoryWord) is { Length: > 0 } known ? known
            : CacheFolder.Default();
        return path is null ? throw new MASQuantException(DiagnosticCodes.CacheNotUsable, null, "There is no cache folder for this user. Name it with --directory.") : new CacheFolder(path);
    }

    private static Option<T?> Parsed<T>(string name, string label, Func<string, T?> read, string allowed, string description)
        where T : struct
        => new(name)
        {
            HelpName = label,
            Description = $"{description} Allowed: {allowed}.",
            CustomParser = result =>
            {
                var value = read(result.Tokens[0].Value);
                if (value is null)
                {
                    result.AddError($"'{result.Tokens[0].Value}' is not allowed for '{name}'. Allowed: {allowed}.");
                }

                return value;
            },
        };

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
