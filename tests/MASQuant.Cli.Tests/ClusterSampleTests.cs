using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>The samples for Kubernetes and the workflow of docs/many-machines.md do what they say: their own commands run here, with the variables that the scheduler sets.</summary>
[Trait("Lane", "slow")]
[UnsupportedOSPlatform("windows")]
public partial class ClusterSampleTests
{
    [SkippableFact]
    public void The_pods_of_an_indexed_job_make_the_parts_and_the_second_job_joins_them()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no /bin/sh.");
        using var sample = new ClusterSample(RepositoryFiles.VlTiny, folder => CalibrationData.Write(folder, samples: 4));
        var (quantize, join) = (ClusterSample.Text("samples", "cluster", "kubernetes", "quantize.yaml"), ClusterSample.Text("samples", "cluster", "kubernetes", "join.yaml"));
        Assert.Equal("Indexed", Value(quantize, "completionMode"));
        Assert.Equal(["8", "8", "8"], [Value(quantize, "completions"), Value(quantize, "parallelism"), Variable(quantize, "JOBS")]);
        for (var i = 0; i < 3; i++)
        {
            Run(sample, Script(quantize), ("JOB_COMPLETION_INDEX", $"{i}"));
        }

        Run(sample, Script(join));
        Assert.Equal(["0", "1", "2"], Formats.Artifacts.ManifestFile.Read(Path.Combine(sample.Output, "VlTiny.masquant.json")).Parts);
    }

    [SkippableFact]
    public void The_jobs_of_the_documented_matrix_make_the_parts_and_the_last_joins_them()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no /bin/sh.");
        using var sample = new ClusterSample(RepositoryFiles.VlTiny, folder => CalibrationData.Write(folder, samples: 4));
        var page = ClusterSample.Text("docs", "many-machines.md");
        var workflow = page[page.IndexOf("    strategy:", StringComparison.Ordinal)..];
        string[] indices = Regex.Match(workflow, @"part: \[(?<list>[\d, ]+)\]").Groups["list"].Value.Split(", ");
        Assert.Equal(Enumerable.Range(0, indices.Length).Select(i => $"{i}"), indices);
        string[] commands = [.. RunLine().Matches(workflow).Select(match => match.Groups["command"].Value).Where(command => command.StartsWith("masquant", StringComparison.Ordinal))];
        Assert.Equal(2, commands.Length);
        Assert.Contains($"/{indices.Length}", commands[0]);
        for (var i = 0; i < 3; i++)
        {
            Run(sample, commands[0].Replace("${{ matrix.part }}", $"{i}", StringComparison.Ordinal).Replace($"/{indices.Length}", "/3", StringComparison.Ordinal));
        }

        Run(sample, commands[1]);
        Assert.Equal(["0", "1", "2"], Formats.Artifacts.ManifestFile.Read(Path.Combine(sample.Folder, "out", "VlTiny.masquant.json")).Parts);
    }

    // A pod's shell, in the folder that is shared.
    private static void Run(ClusterSample sample, string script, params (string Name, string Value)[] more)
    {
        Assert.DoesNotContain("${{", script);
        var start = new ProcessStartInfo("/bin/sh", ["-ec", script]) { RedirectStandardError = true, WorkingDirectory = sample.Folder };
        foreach (var (name, value) in sample.Environment.Concat(more))
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, script + "\n" + errors);
    }

    private static string Value(string yaml, string key) => Assert.Single(Regex.Matches(yaml, $@"^ +{key}: (?<value>[^#\n]*?) *(#.*)?$", RegexOptions.Multiline)).Groups["value"].Value;

    private static string Variable(string yaml, string name) => Regex.Match(yaml, $@"- name: {name}\n +value: ""?(?<value>[^""\n]*)").Groups["value"].Value;

    // The literal block of args.
    private static string Script(string yaml)
    {
        Assert.DoesNotContain('\t', yaml);
        Assert.Contains("command: [\"/bin/sh\", \"-ec\"]", yaml);
        var lines = Regex.Match(yaml, @"(?<= args:\n +- \|\n)(?<indent> +)(?<line>.*)\n((\k<indent>.*)\n)*").Value;
        return string.Join('\n', lines.Split('\n').Select(line => line.Trim()));
    }

    [GeneratedRegex(@"^ +(- )?run: (?<command>.*)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex RunLine();
}
