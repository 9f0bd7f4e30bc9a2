using System.Diagnostics;
using MASQuant.Tests;

namespace MASQuant.Build.Tests;

/// <summary>Runs programs as a user's shell would.</summary>
internal static class Command
{
    // The SDK leaves a few empty folders behind in every build; here they go with the tests.
    private static readonly Lazy<TemporaryDirectory> Temporary = new(() =>
    {
        var folder = new TemporaryDirectory();
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            try
            {
                folder.Dispose();
            }
            catch (IOException)
            {
                // A node or a compiler server is just ending.
            }
        };
        return folder;
    });

    /// <param name="folder">The working directory.</param>
    /// <param name="program">A path, or a name to look for in PATH.</param>
    /// <param name="arguments">One entry per argument.</param>
    /// <param name="environment">Variables on top of this process's; null removes one.</param>
    public static (int ExitCode, string Output) Run(string folder, string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        using var process = Start(folder, program, arguments, environment);
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    /// <summary>Starts a program; the caller reads both of its streams.</summary>
    public static Process Start(string folder, string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["MSBUILDDISABLENODEREUSE"] = "1", ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["DOTNET_NOLOGO"] = "1", ["CI"] = null, ["TMPDIR"] = Temporary.Value.Path, ["MASQuantCacheDirectory"] = Path.Combine(folder, "cache") },
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }
}
