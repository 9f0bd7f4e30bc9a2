using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using MASQuant.Tests;

namespace MASQuant.Build.Tests;

/// <summary>A copy of <c>Cases/NAME</c> outside the repository, with a checkpoint that only looks like one, to build with the real SDK.</summary>
internal sealed class BuildCase : IDisposable
{
    /// <summary>Debug or Release, as these tests were built.</summary>
    public static readonly string Configuration = Assembly.GetExecutingAssembly()
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "Configuration").Value!;

    /// <summary>Where restored packages lie.</summary>
    public static readonly string PackageRoot = Assembly.GetExecutingAssembly()
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "PackageRoot").Value!;

    /// <summary>The tasks whose models are quantized at once.</summary>
    public static readonly string StandIn = Built("tests/MASQuant.Build.Tests/StandIn", "MASQuant.StandIn.dll");

    private readonly TemporaryDirectory _directory = new();
    private int _builds;

    private BuildCase(string name, string tasksAssembly, string folder = "")
    {
        Folder = Directory.CreateDirectory(Path.Combine(_directory.Path, folder)).FullName;
        Cache = InFolder("cache");
        var source = Path.Combine(RepositoryFiles.Root, "tests", "MASQuant.Build.Tests", "Cases", name);
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            Write(Path.GetRelativePath(source, file), File.ReadAllText(file));
        }

        File.WriteAllText(InFolder("Directory.Build.props"), $"""
            <Project>
              <PropertyGroup>
                <LangVersion>12</LangVersion>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <NuGetAudit>false</NuGetAudit>
                <RepositoryRoot>{RepositoryFiles.Root}</RepositoryRoot>
                <InvariantGlobalization>true</InvariantGlobalization>
              </PropertyGroup>
            </Project>
            """);
        File.WriteAllText(InFolder("Directory.Build.targets"), $"""
            <Project>
              <PropertyGroup>
                <MASQuantTasksAssembly>{tasksAssembly}</MASQuantTasksAssembly>
                <MASQuantQuantizeProject>{RepositoryFiles.Root}src/Tasks/Dispatch/MASQuant.QuantizeOne.proj</MASQuantQuantizeProject>
              </PropertyGroup>
              <ItemGroup>
                <Reference Include="{Built("src/Runtime", "MASQuant.Runtime.dll")}" />
                <Reference Include="{Built("src/Runtime", "MASQuant.Abstractions.dll")}" />
                <Analyzer Include="{Built("src/Generators", "MASQuant.Generators.dll", "netstandard2.0")}" />
              </ItemGroup>
              <Import Project="{RepositoryFiles.Root}MASQuant.targets" />
            </Project>
            """);
        Write("model/config.json", "{}");
        Write("model/model.safetensors", "weights");
        Write("data/calibration.jsonl", """{"messages": [{"role": "user", "content": [{"type": "image", "image": "picture.png"}]}]}""");
        Write("data/picture.png", "picture");
    }

    public string Folder { get; }

    /// <summary>The shared cache: the case's own, unless a test lets several cases share one.</summary>
    public string Cache { get; private set; }

    /// <summary>More environment variables.</summary>
    public Dictionary<string, string?> Environment { get; } = [];

    /// <summary>A case whose models are quantized by <c>StandIn</c>, at once.</summary>
    public static BuildCase Open(string name, BuildCase? sharing = null) => Shared(new(name, StandIn), sharing);

    /// <summary>The same in a folder of that name.</summary>
    public static BuildCase OpenIn(string folder, string name) => new(name, StandIn, folder);

    /// <summary>A case whose models are quantized in earnest.</summary>
    public static BuildCase OpenReal(string name, BuildCase? sharing = null) => Shared(new(name, Built("src/Tasks", "MASQuant.Tasks.dll")), sharing);

    public string InFolder(string relativePath) => Path.Combine(Folder, relativePath);

    public void Write(string relativePath, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(InFolder(relativePath))!);
        File.WriteAllText(InFolder(relativePath), content);
    }

    /// <summary>Takes from the case what the package MASQuant.Runtime would bring.</summary>
    public void RemoveRuntime() => Write("Directory.Build.targets", string.Join('\n', File.ReadLines(InFolder("Directory.Build.targets")).Where(line => !line.Contains("<Reference ", StringComparison.Ordinal)).ToArray()));

    public BuildLog Build(params string[] arguments) => Dotnet("build", arguments);

    /// <summary>Brings the models and does nothing else of a build, not even restore.</summary>
    public BuildLog Quantize(params string[] arguments) => Dotnet("msbuild", ["-t:MASQuantQuantize", "-p:BuildingProject=true", .. arguments]);

    /// <summary>The artifacts in the project's store.</summary>
    public string[] Artifacts() => Directory.GetFiles(InFolder("obj/masquant"), "*.masquant.safetensors", SearchOption.AllDirectories);

    /// <summary>What no finished build should leave in the shared cache or the project's store.</summary>
    public string[] Leftovers() => [.. new[] { Cache, InFolder("obj/masquant") }.Where(Directory.Exists)
        .SelectMany(root => Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories))
        .Where(entry => entry.EndsWith(".tmp", StringComparison.Ordinal) || Path.GetFileName(Path.GetDirectoryName(entry)) == "work")];

    /// <summary>Runs one command of the SDK in the case's folder.</summary>
    public BuildLog Dotnet(string command, params string[] arguments)
    {
        var log = InFolder($"build-{_builds++}.binlog");
        var (exitCode, output) = Run("dotnet", [command, "-nologo", "-v:quiet", "-nodeReuse:false", "-bl:" + log, .. arguments]);
        return new BuildLog(exitCode, output, File.Exists(log) ? [log] : []);
    }

    /// <summary>Has every later build below the case's folder leave a log, whoever starts it.</summary>
    public void LogBuilds() => Write("Directory.Build.rsp", $"-bl:LogFile=\"{InFolder("started-{}.binlog")}\"");

    /// <summary>The logs that builds have left since the last call.</summary>
    public BuildLog TakeLogs()
    {
        var taken = Directory.CreateDirectory(InFolder($"taken-{_builds++}"));
        foreach (var log in Directory.GetFiles(Folder, "started-*.binlog"))
        {
            File.Move(log, Path.Combine(taken.FullName, Path.GetFileName(log)));
        }

        return new BuildLog(0, "", [.. taken.EnumerateFiles().Select(file => file.FullName)]);
    }

    /// <summary>The items of a name after MSBuild did what <paramref name="arguments"/> say: the metadata of each, well-known ones too.</summary>
    public IReadOnlyList<Dictionary<string, string>> Items(string name, params string[] arguments)
    {
        var (exitCode, output) = Run("dotnet", ["msbuild", "-nologo", "-nodeReuse:false", "-getItem:" + name, .. arguments]);
        Assert.True(exitCode == 0, output);
        using var json = JsonDocument.Parse(output);
        return [.. json.RootElement.GetProperty("Items").GetProperty(name).EnumerateArray()
            .Select(item => item.EnumerateObject().ToDictionary(metadata => metadata.Name, metadata => metadata.Value.GetString()!))];
    }

    /// <summary>Runs a program in the case's folder.</summary>
    public (int ExitCode, string Output) Run(string program, params string[] arguments) => Command.Run(Folder, program, arguments, Variables);

    /// <summary>Starts a program in the case's folder.</summary>
    public Process Start(string program, params string[] arguments)
        => Command.Start(Folder, program, arguments, new Dictionary<string, string?>(Variables) { [Command.TemporaryVariable] = Directory.CreateDirectory(InFolder(".tmp")).FullName });

    public void Dispose() => _directory.Dispose();

    private Dictionary<string, string?> Variables => new(Environment) { ["MASQuantCacheDirectory"] = Cache };

    private static BuildCase Shared(BuildCase project, BuildCase? sharing)
    {
        project.Cache = sharing?.Cache ?? project.Cache;
        return project;
    }

    public static string Built(string project, string file, string framework = "net10.0")
        => Path.Combine(RepositoryFiles.Root, project, "bin", Configuration, framework, file);
}
