using MASQuant.Delivery.Keys;
using MASQuant.Formats.Files;
using MASQuant.Quantization.Run;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Caching;

/// <summary>Checkpoints and media behind links: sizes, times and hashes are those of what they lead to.</summary>
public sealed class LinkTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData("vl-tiny/model.safetensors")]
    [InlineData("vl-tiny/tokenizer.json")]
    [InlineData("calibration.jsonl")]
    [InlineData("media/calib-ocr-000.png")]
    public void A_changed_target_is_a_new_key(string file)
    {
        var job = Links();
        var key = Key(job);
        Assert.Equal(Key(TinyRun.Job(_folder.File("plain"))), key);
        Assert.Equal(key, Key(job));

        // The link of the link leads there as well; neither of them changes.
        var target = _folder.File($"blobs/{Path.GetFileName(file)}");
        File.AppendAllText(target, " ");
        Assert.NotEqual(key, Key(job));
    }

    [SkippableFact]
    public void Another_target_of_the_same_size_and_time_is_a_new_key()
    {
        var job = Links();
        var key = Key(job);
        var (link, target) = (_folder.File("vl-tiny/config.json"), _folder.File("blobs/config.json"));
        File.WriteAllText(target + ".2", File.ReadAllText(target).Replace("1e-06", "2e-06", StringComparison.Ordinal));
        File.SetLastWriteTimeUtc(target + ".2", File.GetLastWriteTimeUtc(target));
        File.Delete(link);
        File.CreateSymbolicLink(link, target + ".2");
        Assert.NotEqual(key, Key(job));
    }

    [SkippableFact]
    public void Sizes_are_those_of_the_files()
    {
        var job = Links();
        Assert.Equal(new FileInfo(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors")).Length, LinkedFile.Length(Path.Combine(job.ModelFolder, "model.safetensors")));
        QuantizationPipeline.Run(job);
        Assert.Contains($"\"sourceBytes\":{new FileInfo(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors")).Length}", File.ReadAllText(TinyRun.FactsPath(job)), StringComparison.Ordinal);
    }

    /// <summary>A checkpoint and a set of which every file is a link to a link.</summary>
    private QuantizationJob Links()
    {
        Skip.If(OperatingSystem.IsWindows(), "Links need a privilege there.");
        var plain = TinyRun.Job(_folder.File("plain"));
        foreach (var file in Directory.GetFiles(plain.ModelFolder))
        {
            Link(file, Path.Combine("vl-tiny", Path.GetFileName(file)));
        }

        var data = Path.GetDirectoryName(plain.CalibrationFile)!;
        foreach (var file in Directory.GetFiles(data, "*", SearchOption.AllDirectories))
        {
            Link(file, Path.GetRelativePath(data, file));
        }

        return plain with { ModelFolder = _folder.File("vl-tiny"), CalibrationFile = _folder.File("calibration.jsonl"), OutputFolder = _folder.File("out"), WorkFolder = _folder.File("work") };
    }

    private void Link(string file, string name)
    {
        var (blob, between, link) = (_folder.File($"blobs/{Path.GetFileName(file)}"), _folder.File($"between/{Path.GetFileName(file)}"), _folder.File(name));
        Array.ForEach([blob, between, link], path => Directory.CreateDirectory(Path.GetDirectoryName(path)!));
        File.Copy(file, blob);
        File.CreateSymbolicLink(between, blob);
        File.CreateSymbolicLink(link, Path.GetRelativePath(Path.GetDirectoryName(link)!, between));
    }

    // As a build asks: what it remembers of files is read again every time.
    private string Key(QuantizationJob job)
    {
        var hashes = new FileHashes(_folder.File("memo"));
        var key = ArtifactKey.Of(job, hashes.Of);
        hashes.Save();
        return key;
    }
}
