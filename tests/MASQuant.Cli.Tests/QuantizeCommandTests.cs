using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Options;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

public class QuantizeCommandTests(QuantizedVlTiny quantized) : IClassFixture<QuantizedVlTiny>
{
    [Fact]
    public void Answers_with_the_artifact_alone()
    {
        Assert.Equal((0, quantized.Artifact + "\n"), (quantized.Run.ExitCode, quantized.Run.Output));
        Assert.True(File.Exists(quantized.Artifact));
        Assert.False(Directory.Exists(Path.Combine(quantized.Folder, ".masquant")));
    }

    [Fact]
    public void A_pipe_gets_a_line_per_block_and_stage()
    {
        var lines = quantized.Run.Error.Split('\n');
        Assert.DoesNotContain(quantized.Run.Error, c => c is '\r' or '\e');
        Assert.Equal(3, lines.Count(line => line.StartsWith("Block ", StringComparison.Ordinal) && line.Contains(": finished", StringComparison.Ordinal)));
        Assert.Single(lines, "Writing the artifact.");
        Assert.Contains(lines, line => line.StartsWith("Tiny, W4A8 and W8A8 (7 of 21 layers): 1.8 MB → ", StringComparison.Ordinal));
    }

    [Fact]
    public void Switches_reach_the_manifest()
    {
        var manifest = ManifestFile.Read(Path.Combine(quantized.Folder, "Tiny.masquant.json"));
        Assert.Equal(("W4A8", "0", "4"), (manifest.Scheme, manifest.Options["Epochs"], manifest.Options["Rank"]));
        Assert.All(OptionTable.All.Where(option => option.Name is not ("Epochs" or "Rank" or "RankRatio" or "Method")), option => Assert.Equal(option.Default, manifest.Options[option.Name]));
    }

    [Fact]
    public void Cancelled_run_keeps_blocks_and_resumes_to_the_same_bytes()
    {
        using var folder = new TemporaryDirectory();
        var work = Path.Combine(folder.Path, ".masquant", QuantizedVlTiny.Name);
        var run = CommandRun.CancelledAt("Block 1 of 3: finished", quantized.Command(folder.Path));
        Assert.Equal(130, run.ExitCode);
        Assert.Contains($"Finished blocks are kept in '{work}': the same command resumes.\nCancelled.\n", run.Error);
        Assert.Empty(run.Output);
        Assert.Empty(Directory.EnumerateFiles(folder.Path));

        var resumed = CommandRun.Of(quantized.Command(folder.Path));
        Assert.Equal(0, resumed.ExitCode);
        Assert.Contains("finished by an earlier run", resumed.Error);
        Assert.Equal(File.ReadAllBytes(quantized.Artifact), File.ReadAllBytes(folder.File("Tiny.masquant.safetensors")));
    }

    [Fact]
    public void A_subset_is_drawn_and_named_and_reported()
    {
        using var folder = new TemporaryDirectory();
        var run = CommandRun.Of([.. quantized.Command(folder.Path), "--samples", "2", "--subset-seed", "7", "--report", folder.File("page.html")]);
        Assert.Equal(0, run.ExitCode);
        var facts = ManifestFile.Read(folder.File("Tiny.masquant.json")).Calibration!;
        Assert.Equal((2, 7UL), (facts.Samples, facts.SubsetSeed));
        var page = File.ReadAllText(folder.File("page.html"));
        Assert.Contains("<dd>2 samples<small>of calibration.jsonl</small></dd>", page);
        Assert.All((string[])["summary", "sqnr", "misalignment", "residuals", "time", "layers"], section => Assert.Contains($"<section id=\"{section}\">", page));
    }

    [Fact]
    public void Calibration_error_names_file_and_line()
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder.File("bad.jsonl"), "\n{\"messages\": 1}\n");
        var run = CommandRun.Of("quantize", RepositoryFiles.VlTiny, "--calibration", folder.File("bad.jsonl"), "--output", folder.File("out"));
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"{folder.File("bad.jsonl")}(2): error MASQ0401:", run.Error);
        Assert.Empty(run.Output);
    }

    [Fact]
    public void Compute_without_its_package_names_it()
    {
        using var folder = new TemporaryDirectory();
        var run = CommandRun.Of([.. quantized.Command(folder.Path), "--compute", "torch:CPU"]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("masquant: error MASQ0516: Compute=Torch:cpu needs the package MASQuant.Build.Torch", run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_result_below_its_budget_is_written_and_explained()
    {
        using var folder = new TemporaryDirectory();
        var run = CommandRun.Of([.. quantized.Command(folder.Path), "--min-sqnr-vision", "290", "--max-bytes", "1kB"]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("error MASQ0950: Tiny: Vision has ", run.Error);
        Assert.Contains("error MASQ0951: Tiny: the artifact has ", run.Error);
        Assert.True(File.Exists(folder.File("Tiny.masquant.safetensors")));
        Assert.Equal(2, CommandRun.Of([.. quantized.Command(folder.Path), "--max-bytes", "small"]).ExitCode);
        Assert.Contains("error MASQ0953", CommandRun.Of([.. quantized.Command(folder.Path), "--max-evaluation-loss", "1"]).Error);
    }

    [Fact]
    public void Unwritable_output_is_bad_input()
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder.File("file"), "");
        var run = CommandRun.Of(quantized.Command(folder.File("file")));
        Assert.Equal(1, run.ExitCode);
        Assert.Matches("error MASQ0(111|802):", run.Error);
    }
}
