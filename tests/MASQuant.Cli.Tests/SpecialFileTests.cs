using System.Diagnostics;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>Pipes that nobody writes and devices without an end, where files should be: refused, where reading would wait or fill memory.</summary>
[Trait("Lane", "slow")]
public sealed class SpecialFileTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private readonly TemporaryDirectory _folder = new();
    private readonly string _model;
    private readonly string _calibration;

    public SpecialFileTests()
    {
        _model = Directory.CreateDirectory(_folder.File("model")).FullName;
        foreach (var file in Directory.EnumerateFiles(RepositoryFiles.VlTiny))
        {
            File.Copy(file, Path.Combine(_model, Path.GetFileName(file)));
        }

        _calibration = CalibrationData.Write(_folder.File("data"), 2);
    }

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData("config.json", "pipe")]
    [InlineData("config.json", "/dev/zero")]
    [InlineData("tokenizer.json", "pipe")]
    [InlineData("generation_config.json", "/dev/zero")]
    [InlineData("preprocessor_config.json", "pipe")]
    [InlineData("model.safetensors", "pipe")]
    [InlineData("model.safetensors", "/dev/zero")]
    [InlineData("calibration.jsonl", "pipe")]
    [InlineData("calibration.jsonl", "/dev/zero")]
    [InlineData("medium", "pipe")]
    [InlineData("medium", "/dev/zero")]
    public async Task They_are_refused(string name, string kind)
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has neither.");
        var path = name switch
        {
            "calibration.jsonl" => _calibration,
            "medium" => Directory.EnumerateFiles(_folder.File("data/media")).First(),
            _ => Path.Combine(_model, name),
        };
        File.Delete(path);
        if (kind == "pipe")
        {
            using var make = Process.Start("mkfifo", [path]);
            await make.WaitForExitAsync();
        }
        else
        {
            File.CreateSymbolicLink(path, kind);
        }

        using var run = Process.Start(new ProcessStartInfo("dotnet", [typeof(CommandLine).Assembly.Location, "quantize", _model, "--calibration", _calibration, "--output", _folder.File("out"), "--cache", "none"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var said = await run.StandardError.ReadToEndAsync().WaitAsync(Limit);
        await run.WaitForExitAsync().WaitAsync(Limit);
        Assert.True(run.ExitCode == 1, said);
        Assert.Contains(Path.GetFileName(path), said, StringComparison.Ordinal);
        Assert.Matches("error MASQ0(101|102|311|401|40[0-9]):", said);
    }
}
