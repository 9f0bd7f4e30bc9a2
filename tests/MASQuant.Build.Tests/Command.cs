using System.Diagnostics;

namespace MASQuant.Build.Tests;

/// <summary>Runs programs as a user's shell would.</summary>
internal static class Command
{
    /// <summary>Names the folder of temporary files. The SDK leaves a few empty folders there in every build, which then go with it.</summary>
    public const string TemporaryVariable = "TMPDIR";

    private static readonly int KilledExitCode = OperatingSystem.IsWindows() ? -1 : 128 + 9; // TerminateProcess, SIGKILL

    /// <param name="folder">The working directory.</param>
    /// <param name="program">A path, or a name to look for in PATH.</param>
    /// <param name="arguments">One entry per argument.</param>
    /// <param name="environment">Variables on top of this process's; null removes one.</param>
    public static (int ExitCode, string Output) Run(string folder, string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var temporary = Directory.CreateTempSubdirectory("masquant-test-");
        try
        {
            using var process = Start(folder, program, arguments, new Dictionary<string, string?> { [TemporaryVariable] = temporary.FullName }.Concat(environment ?? new Dictionary<string, string?>()));
            var errors = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
            process.WaitForExit();
            return (process.ExitCode, output);
        }
        finally
        {
            Delete(temporary);
        }
    }

    /// <summary>Starts a program; the caller reads both of its streams.</summary>
    public static Process Start(string folder, string program, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string?>> environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["MSBUILDDISABLENODEREUSE"] = "1", ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["DOTNET_NOLOGO"] = "1", ["CI"] = null, ["MASQuantCacheDirectory"] = Path.Combine(folder, "cache") },
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>Kills a program and what it started, without warning. False when it had come to its own end before.</summary>
    public static bool Kill(Process process)
    {
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
        return process.ExitCode == KilledExitCode;
    }

    private static void Delete(DirectoryInfo folder)
    {
        try
        {
            folder.Delete(recursive: true);
        }
        catch (IOException)
        {
            // A node that the build leaves behind is just using it.
        }
    }
}
