using MASQuant.Platform;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests.Faults;

/// <summary>vl-tiny, a few samples, and the artifacts of two sets of options: what lies in the output before a run that fails, and what the run is to make.</summary>
internal sealed class FaultCase : IDisposable
{
    /// <summary>The model's name.</summary>
    public const string Name = "Tiny";

    private readonly TemporaryDirectory _folder = new();
    private readonly string[] _options;
    private readonly string _data;

    /// <param name="options">How to quantize.</param>
    public FaultCase(params string[] options)
    {
        _options = options;
        _data = CalibrationData.Write(_folder.File("data"), samples: 2);
        Expect(Run(_folder.File("old"), "none", "W8A8"));
        Expect(Run(_folder.File("new"), _folder.File("cache"), "W4A8"));
        (Old, New) = (ModelFolder.Of(_folder.File("old")), ModelFolder.Of(_folder.File("new")));
    }

    /// <summary>The model that lies there.</summary>
    public ModelFolder Old { get; }

    /// <summary>The model that the run makes.</summary>
    public ModelFolder New { get; }

    /// <summary>The new model's artifact.</summary>
    public string Artifact => _folder.File("new/Tiny.masquant.safetensors");

    /// <summary>An image out of the calibration set.</summary>
    public string Image => Directory.GetFiles(Path.Combine(Path.GetDirectoryName(_data)!, "media")).Order(StringComparer.Ordinal).First();

    /// <summary>Quantizes with the new options; nothing fails.</summary>
    public CommandRun QuantizeAgain(string output, string cache) => Unharmed(() => Quantize(output, cache));

    /// <summary>Works where nothing fails, and later than the grace that a temporary file has.</summary>
    public static T Unharmed<T>(Func<T> work)
    {
        FileSystem.Use(new FailingFiles(0, forGood: false));
        Clock.Use(new JumpingClock(1, TimeSpan.FromMinutes(5)));
        try
        {
            return work();
        }
        finally
        {
            FileSystem.Use(null);
            Clock.Use(null);
        }
    }

    /// <summary>Quantizes with the new options.</summary>
    public CommandRun Quantize(string output, string cache) => Run(output, cache, "W4A8");

    /// <summary>The same without a command; where to is for whoever runs it.</summary>
    public QuantizationJob Job => new()
    {
        ModelFolder = RepositoryFiles.VlTiny,
        CalibrationFile = _data,
        Name = Name,
        OutputFolder = "",
        WorkFolder = "",
        Options = OptionTable.Read(((string[])["--effort", "Fast", "--scheme", "W4A8", .. _options]).Chunk(2).ToDictionary(pair => OptionTable.All.Single(option => option.Switch == pair[0]).Name, pair => pair[1])),
    };

    /// <summary>Lays the old model into a folder.</summary>
    public void LayOld(string output) => CopyFolder(_folder.File("old"), output);

    /// <summary>Lays a cache that has the new model into a folder.</summary>
    public void LayCache(string cache) => CopyFolder(_folder.File("cache"), cache);

    public void Dispose() => _folder.Dispose();

    private CommandRun Run(string output, string cache, string scheme) => CommandRun.Of(["quantize", RepositoryFiles.VlTiny, "--effort", "Fast", "--scheme", scheme, .. _options, "--calibration", _data, "--output", output, "--name", Name, "--cache", cache]);

    private static void Expect(CommandRun run)
    {
        if (run.ExitCode != 0)
        {
            throw new InvalidOperationException(run.Error);
        }
    }

    private static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}
