using System.ComponentModel;
using System.Diagnostics;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>What docs/artifact-format.md says, computed in FP64 by a script that shares no code with the product, gives the figures that the product gives.</summary>
[Trait("Lane", "slow")]
public sealed class IndependentCheckTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData("--scheme", "W4A8", "--group-size", "128")] // The first block has 8 bits.
    [InlineData("--scheme", "W4A4")]
    [InlineData("--scheme", "W4A16", "--rotation", "None")]
    [InlineData("--scheme", "W4A8", "--head", "W8")]
    public void A_reader_written_from_the_document_computes_the_products_figures(params string[] options)
    {
        var python = PythonWithNumPy();
        Skip.If(python is null, "No python3 with NumPy is installed.");
        var data = GoldenConversations.Write(_folder.File("data"));
        Succeed(["quantize", RepositoryFiles.OmniTiny, .. options, "--epochs", "0", "--rank", "4", "--calibration", data, "--output", _folder.Path, "--name", "Tiny"]);
        var artifact = _folder.File("Tiny.masquant.safetensors");
        var figures = _folder.File("figures.json");
        Succeed(["evaluate", RepositoryFiles.OmniTiny, artifact, data, "--no-generate", "--json-file", figures]);

        var (exitCode, verdict) = Start(python, "-B", Path.Combine(RepositoryFiles.Root, "tests", "independent", "check_artifact.py"), RepositoryFiles.OmniTiny, artifact, figures, RepositoryFiles.Golden("omni"))!.Value;

        Assert.True(exitCode == 0, verdict);
        Assert.Contains("SQNR in dB: 252 figures", verdict); // 6 blocks, 7 layers, 3 modalities, without and with the patch.
    }

    private static void Succeed(string[] command)
    {
        var run = CommandRun.Of(command);
        Assert.True(run.ExitCode == 0, run.Error);
    }

    // A python3 of the user's own may come first on the path, and lack NumPy.
    private static string? PythonWithNumPy() => ((string[])["python3", "/usr/bin/python3"]).FirstOrDefault(python => Start(python, "-c", "import numpy")?.ExitCode == 0);

    /// <summary>Runs a program; null where there is none of this name.</summary>
    private static (int ExitCode, string Output)? Start(string program, params string[] arguments)
    {
        // The products are small: threads would spend their time on waiting for each other.
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["OPENBLAS_NUM_THREADS"] = "1" } };
        try
        {
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + error.Result);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
