using MASQuant.Formats.Artifacts;
using MASQuant.Tests;

namespace MASQuant.Torch.Tests.Pipeline;

/// <summary><c>masquant tune</c> measures on libtorch and quantizes on it.</summary>
public sealed class TuneTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    [TorchFact]
    public void Measurements_and_points_are_of_libtorch()
    {
        var torch = Measured("torch", "--compute", "Torch:cpu", "--compute-assembly", TestTool.Package(_folder));
        var point = Directory.GetFiles(_folder.File("torch"), "*.masquant.json", SearchOption.AllDirectories).Single();
        Assert.Equal("Torch:cpu", ManifestFile.Read(point).Options["Compute"]);
        Assert.NotEqual(Measured("managed"), torch);
    }

    public void Dispose() => _folder.Dispose();

    // Behind the line of the key.
    private string Measured(string output, params IEnumerable<string> compute)
    {
        var run = TestTool.Run(_folder.Path, ["tune", RepositoryFiles.VlTiny, "--calibration", RepositoryFiles.Data("calibration-vision.jsonl"), "--samples", "2", "--points", "1", "--max-bytes", "2MB", "--output", output, "--cache", "none", .. compute]);
        Assert.True(run.ExitCode == 0, run.Error);
        return File.ReadAllLines(_folder.File(output + "/noise"))[1];
    }
}
