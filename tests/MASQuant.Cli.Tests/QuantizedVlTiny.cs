using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>vl-tiny quantized once by the command, with four samples and nothing learned.</summary>
public sealed class QuantizedVlTiny : IDisposable
{
    internal const string Name = "Tiny";
    private readonly TemporaryDirectory _folder = new();

    public QuantizedVlTiny()
    {
        Data = CalibrationData.Write(_folder.File("data"), samples: 4);
        Run = CommandRun.Of(Command(_folder.Path));
    }

    internal CommandRun Run { get; }

    internal string Folder => _folder.Path;

    internal string Data { get; }

    internal string Artifact => _folder.File(Name + ".masquant.safetensors");

    internal string[] Command(string output)
        => ["quantize", RepositoryFiles.VlTiny, "--scheme", "W4A8", "--epochs", "0", "--rank", "4", "--calibration", Data, "--output", output, "--name", Name];

    public void Dispose() => _folder.Dispose();
}
