using System.Text;
using System.Text.Json;
using MASQuant.Formats.Artifacts;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

public class InspectCommandTests(QuantizedVlTiny quantized) : IClassFixture<QuantizedVlTiny>
{
    [Fact]
    public void JSON_of_an_artifact_is_its_manifest()
    {
        var manifest = Path.ChangeExtension(quantized.Artifact, null)[..^".masquant".Length] + ".masquant.json";
        var ofArtifact = CommandRun.Of("inspect", quantized.Artifact, "--json");
        Assert.Equal((0, ""), (ofArtifact.ExitCode, ofArtifact.Error));
        Assert.Equal(File.ReadAllText(manifest), ofArtifact.Output);
        Assert.Equal(ofArtifact, CommandRun.Of("inspect", manifest, "--json"));
        Assert.Equal(QuantizedVlTiny.Name, ManifestFile.Parse(Encoding.UTF8.GetBytes(ofArtifact.Output), "output").Name);
    }

    [Fact]
    public void Table_has_a_row_per_layer_with_its_figures()
    {
        var run = CommandRun.Of("inspect", quantized.Artifact);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var rows = run.Output.Split('\n').Where(line => char.IsAsciiDigit(line.FirstOrDefault()) && line.Contains("A8", StringComparison.Ordinal)).ToArray();
        Assert.Equal(3 * 7, rows.Length);
        Assert.All(rows, row => Assert.Contains(row.StartsWith('0') ? "W8A8" : "W4A8", row));
        using var artifact = Artifact.Open(quantized.Artifact);
        var first = artifact.Manifest.Layers[0].Linears[0];
        Assert.StartsWith("0.self_attn.q_proj", rows[0]);
        Assert.Contains($"{first.Outputs} × {first.Inputs}", rows[0]);
        Assert.Contains(FormattableString.Invariant($"{first.Sqnr["Vision"].Before:F1} → {first.Sqnr["Vision"].After:F1}"), rows[0]);
        Assert.Contains(FormattableString.Invariant($" {first.EffectiveRanks["Vision"].Plain:F1}/{first.EffectiveRanks["Vision"].Whitened:F1} "), rows[0]);
    }

    [Fact]
    public void JSON_of_a_checkpoint_lists_what_would_be_quantized()
    {
        var run = CommandRun.Of("inspect", RepositoryFiles.VlTiny, "--json");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        using var json = JsonDocument.Parse(run.Output);
        var linears = json.RootElement.GetProperty("linears").EnumerateArray().ToArray();
        Assert.Equal(3 * 7, linears.Length);
        Assert.All(linears, linear => Assert.Equal(linear.GetProperty("outputs").GetInt32() * linear.GetProperty("inputs").GetInt32() * 2, linear.GetProperty("bytes").GetInt32()));

        // The parts make up the whole: all tensors of the file, whose header is its first 8 + n bytes.
        var file = File.ReadAllBytes(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors"));
        var tensors = file.Length - 8 - (long)System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(file);
        var others = json.RootElement.GetProperty("otherBytes").EnumerateObject().Sum(part => part.Value.GetInt64());
        Assert.Equal(tensors, others + linears.Sum(linear => linear.GetProperty("bytes").GetInt64()));
    }

    [Fact]
    public void Another_safetensors_file_is_refused()
    {
        var run = CommandRun.Of("inspect", Path.Combine(RepositoryFiles.VlTiny, "model.safetensors"));
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("error MASQ0601:", run.Error);
        Assert.Empty(run.Output);
    }

    [Fact]
    public void A_plan_tells_sizes_and_needs()
    {
        var run = CommandRun.Of("plan", RepositoryFiles.VlTiny, "--scheme", "W8A8");
        Assert.Equal(0, run.ExitCode);
        Assert.Empty(run.Error);
        Assert.All(["Qwen25VL, 3 decoder layers of width 128", "are quantized", "W4A16", "disk", "memory", "GFLOP/s"], words => Assert.Contains(words, run.Output));
        Assert.Matches(@"mlp\.down_proj +128 × 256 +W8A8 +12\b", run.Output);
        Assert.Matches(@"W8A8 .*chosen", run.Output);
        Assert.Contains("A sequence takes 1.5 kB a token when it runs on the processor (768 B in BF16: ModelOptions.KeyValues).", run.Output); // 3 layers of 2 key heads of 32, keys and values.
        Assert.Equal(1, CommandRun.Of("plan", "nowhere").ExitCode);

        var smaller = CommandRun.Of("plan", RepositoryFiles.VlTiny, "--head", "W8", "--towers", "W8").Output;
        Assert.Matches(@"embedding and head .*get 8 bits", smaller);
        Assert.Matches(@"vision tower .*linear layers get 8 bits", smaller);
        Assert.DoesNotMatch(@"8 bits", run.Output);
    }
}
