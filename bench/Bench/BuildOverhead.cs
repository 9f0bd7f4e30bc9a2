using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace MASQuant.Bench;

/// <summary>What a build with nothing to do costs more for having a <c>QuantizedModel</c> item, without and with budgets: projects that differ in the item alone, built in turns.</summary>
internal static class BuildOverhead
{
    private const int Rounds = 21;
    private const double HoldMilliseconds = 150;
    private const string Item = """<QuantizedModel Include="$(RepositoryRoot)samples/models/vl-tiny" Calibration="$(RepositoryRoot)samples/data/calibration-vision.jsonl" Epochs="0" />""";
    private const string Budgets = """MinSqnrVision="-100" MaxBytes="1GB" MaxEvaluationLoss="1000" Evaluation="$(RepositoryRoot)samples/data/calibration-vision.jsonl" />""";
    private static readonly string Root = typeof(BuildOverhead).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    /// <summary>Prints the medians; returns 0 when the difference holds, otherwise 1.</summary>
    /// <param name="cpuTime">Take the processor time of the build's processes instead of the clock: for a machine that others use too. Needs bash.</param>
    public static int Run(bool cpuTime)
    {
        var folder = Directory.CreateTempSubdirectory("masquant-bench-").FullName;
        try
        {
            string[] projects =
            [
                Create(Path.Combine(folder, "without"), ""),
                Create(Path.Combine(folder, "with"), Item),
                Create(Path.Combine(folder, "budgets"), Item.Replace("/>", Budgets, StringComparison.Ordinal)),
            ];
            var times = projects.Select(_ => new double[Rounds]).ToArray();
            for (var round = 0; round < Rounds; round++)
            {
                // Each goes first as often.
                for (var turn = 0; turn < projects.Length; turn++)
                {
                    var project = (round + turn) % projects.Length;
                    times[project][round] = Milliseconds(projects[project], cpuTime);
                }
            }

            Console.WriteLine("| a build with nothing to do | with | without | median of the differences | hold | |");
            Console.WriteLine("|---|---|---|---|---|---|");
            return Print("the item", times[1], times[0]) & Print("the item and budgets", times[2], times[0]) ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static bool Print(string name, double[] with, double[] without)
    {
        var difference = Median([.. with.Zip(without, (one, other) => one - other)]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name}, {Rounds} rounds | {Median(with):F0} ms | {Median(without):F0} ms | {difference:F0} ms | ≤ {HoldMilliseconds} ms | {(difference <= HoldMilliseconds ? "holds" : "MISSES")} |"));
        return difference <= HoldMilliseconds;
    }

    // A project with the item and its imports as the packages give them, built until nothing is left to do.
    private static string Create(string folder, string item)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "App.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <OutputType>Exe</OutputType>
                <NuGetAudit>false</NuGetAudit>
                <RepositoryRoot>{Root}</RepositoryRoot>
                <MASQuantTasksAssembly>$(RepositoryRoot)src/Tasks/bin/Release/net10.0/MASQuant.Tasks.dll</MASQuantTasksAssembly>
                <MASQuantQuantizeProject>$(RepositoryRoot)src/Tasks/Dispatch/MASQuant.QuantizeOne.proj</MASQuantQuantizeProject>
              </PropertyGroup>
              <ItemGroup>
                <Reference Include="$(RepositoryRoot)src/Runtime/bin/Release/net10.0/MASQuant.Runtime.dll;$(RepositoryRoot)src/Runtime/bin/Release/net10.0/MASQuant.Abstractions.dll" />
                <Analyzer Include="$(RepositoryRoot)src/Generators/bin/Release/netstandard2.0/MASQuant.Generators.dll" />
                {item}
              </ItemGroup>
            </Project>
            """);
        File.WriteAllText(Path.Combine(folder, "Directory.Build.targets"), $"""<Project><Import Project="{Root}MASQuant.targets" /></Project>""");
        File.WriteAllText(Path.Combine(folder, "Program.cs"), "System.Console.WriteLine();\n");
        Dotnet(folder, "build");
        Dotnet(folder, "build", "--no-restore");
        return folder;
    }

    private static double Milliseconds(string folder, bool cpuTime)
    {
        var start = Stopwatch.GetTimestamp();
        if (!cpuTime)
        {
            Dotnet(folder, "build", "--no-restore");
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        // bash's `times`: its own user and system time, then its children's, as 0m1.234s.
        var output = Run(folder, "bash", "-c", "dotnet build --no-restore -v:quiet -nodeReuse:false > build.log || exit 1; times");
        return output.Split('\n')[1].Split(' ').Sum(time => 1000 * double.Parse(time.Split('m')[1].TrimEnd('s'), CultureInfo.InvariantCulture));
    }

    private static void Dotnet(string folder, params string[] arguments) => Run(folder, "dotnet", [.. arguments, "-v:quiet", "-nodeReuse:false"]);

    private static string Run(string folder, string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            Environment = { ["DOTNET_NOLOGO"] = "1", ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["MSBUILDDISABLENODEREUSE"] = "1" },
        })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException(output);
    }

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
