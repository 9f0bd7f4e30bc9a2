using System.Runtime.Versioning;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>What the samples for schedulers run with: a folder that stands for the shared one, and this build as the command <c>masquant</c>.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class ClusterSample : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public ClusterSample(string model, Func<string, string> calibration)
    {
        var tool = Path.Combine(Directory.CreateDirectory(_folder.File("bin")).FullName, "masquant");
        File.WriteAllText(tool, $"#!/bin/sh\nexec dotnet '{typeof(CommandLine).Assembly.Location}' \"$@\"\n");
        File.SetUnixFileMode(tool, (UnixFileMode)0b111_101_101);
        Environment =
        [
            ("PATH", $"{Path.GetDirectoryName(tool)}:{System.Environment.GetEnvironmentVariable("PATH")}"),
            ("MODEL", model), ("CALIBRATION", calibration(_folder.Path)), ("PARTS", Parts), ("OUTPUT", Output), ("JOBS", "3"),
        ];
    }

    /// <summary>The environment of a job.</summary>
    public (string Name, string Value)[] Environment { get; }

    public string Folder => _folder.Path;

    public string Parts => _folder.File("parts");

    public string Output => _folder.File("out");

    public static string Text(params string[] names) => File.ReadAllText(PathOf(names));

    public static string PathOf(params string[] names) => Path.Combine([RepositoryFiles.Root, .. names]);

    public void Dispose() => _folder.Dispose();
}
