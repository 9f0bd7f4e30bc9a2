using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace MASQuant.Bench;

/// <summary>What a build with nothing to do costs more for having a <c>QuantizedModel</c> item: two projects that differ in the item alone, built in turns.</summary>
internal static class BuildOverhead
{
    private const int Rounds = 21;
    private const double HoldMilliseconds = 150;
    private const string Item = """<QuantizedModel Include="$(RepositoryRoot)samples/models/vl-tiny" Calibration="$(RepositoryRoot)samples/data/calibration-vision.jsonl" Epochs="0" />""";
    private static readonly string Root = typeof(BuildOverhead).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    /// <summary>Prints the medians; returns 0 when the difference holds, otherwise 1.</summary>
    /// <param name="cpuTime">Take the processor time of the build's processes instead of the clock: for a machine that others use too. Needs bash.</param>
    public static int Run(bool cpuTime)
    {
        var folder = Directory.CreateTempSubdirectory("masquant-bench-").FullName;
        try
        {
            var with = Create(Path.Combine(folder, "with"), Item);
            var without = Create(Path.Combine(folder, "without"), "");
            double[] withTimes = new double[Rounds], withoutTimes = new double[Rounds], differences = new double[Rounds];
            for (var round = 0; round < Rounds; round++)
            {
                // Either goes first as often.
                var withFirst = round % 2 == 0;
                var first = Milliseconds(withFirst ? with : without, cpuTime);
                var second = Milliseconds(withFirst ? without : with, cpuTime);
                (withTimes[round], withoutTimes[round]) = withFirst ? (first, second) : (second, first);
                differences[round] = withTimes[round] - withoutTimes[round];
            }

            var difference = Median(differences);
            Console.WriteLine("| a build with nothing to do | with the item | without | median of the differences | hold | |");
            Console.WriteLine("|---|---|---|---|---|---|");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {Rounds} rounds | {Median(withTimes):F0} ms | {Median(withoutTimes):F0} ms | {difference:F0} ms | ≤ {HoldMilliseconds} ms | {(difference <= HoldMilliseconds ? "holds" : "MISSES")} |"));
            return difference <= HoldMilliseconds ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
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
                <Reference Include="$(RepositoryRoot)src/Runtime/bin/Release/net10.0/MASQuant.Runtime.dll" />
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
