using System.Globalization;
using MASQuant.Diagnostics;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Allocation;

[Trait("Lane", "slow")]
public sealed class PatchBudgetTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(20_000)]
    [InlineData(60_000)]
    public void Patches_keep_to_the_budget_and_use_it(long budget)
    {
        var manifest = QuantizationPipeline.Run(TinyRun.Job(_folder.Path, Options(budget)));
        var ranks = manifest.Layers.SelectMany(layer => layer.Linears).ToArray();
        var bytes = ranks.Sum(linear => linear.Ranks.Values.Sum() * 2L * (linear.Outputs + linear.Inputs));
        Assert.InRange(bytes, budget * 9 / 10, budget); // The narrowest patch's step takes 4·2·(64 + 128) = 1536 bytes.
        Assert.All(ranks.SelectMany(linear => linear.Ranks.Values), rank => Assert.Equal(0, rank % 4));
        Assert.True(ranks.Select(linear => linear.Ranks.GetValueOrDefault("Vision")).Distinct().Count() > 1);
        Assert.Equal(budget.ToString(CultureInfo.InvariantCulture), manifest.Options["PatchBytes"]);
    }

    // Rank 8 everywhere: what the 8 deviating channels of every group ask of its patches comes first.
    [Fact]
    public void Deviating_channels_are_carried_before_anything_else()
    {
        var manifest = QuantizationPipeline.Run(TinyRun.Job(_folder.Path, Options(8 * 2 * 3 * 2048)));
        Assert.All(manifest.Layers.SelectMany(layer => layer.Linears), linear => Assert.InRange(linear.Ranks.GetValueOrDefault("Vision"), 4, 64));
    }

    [Fact]
    public void Given_ranks_stay_and_count()
    {
        var options = OptionTable.Read(new Dictionary<string, string> { ["Epochs"] = "0", ["PatchBytes"] = "40000", ["ModalityWeights"] = "auto", ["LayerRanks"] = "1:0 0.down_proj:6" });
        var layers = QuantizationPipeline.Run(TinyRun.Job(_folder.Path, options)).Layers;
        Assert.All(layers[1].Linears, linear => Assert.Empty(linear.Ranks));
        Assert.Equal(6, layers[0].Linears[^1].Ranks["Vision"]);
        Assert.True(layers.SelectMany(layer => layer.Linears).Sum(linear => linear.Ranks.Values.Sum() * 2L * (linear.Outputs + linear.Inputs)) <= 40_000);
    }

    [Fact]
    public void Given_ranks_beyond_the_budget_are_refused()
    {
        var options = OptionTable.Read(new Dictionary<string, string> { ["Epochs"] = "0", ["PatchBytes"] = "1000", ["LayerRanks"] = "0.down_proj:16" });
        var error = Assert.Throws<MASQuantException>(() => QuantizationPipeline.Run(TinyRun.Job(_folder.Path, options)));
        Assert.Equal(DiagnosticCodes.PatchBytesExceeded, error.Code);
        Assert.Contains($"takes {16 * 2 * (128 + 256)} bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cancelled_run_resumes_with_its_ranks_and_the_same_bytes_whatever_the_threads()
    {
        var options = Options(30_000);
        var job = TinyRun.Job(_folder.Path, options);
        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => QuantizationPipeline.Run(job, new StopAt(1, source), source.Token));
        Assert.True(File.Exists(Path.Combine(job.WorkFolder, "ranks")));
        var seen = new List<string>();
        QuantizationPipeline.Run(job, new Messages(seen));
        Assert.DoesNotContain(seen, message => message.StartsWith("Measuring what", StringComparison.Ordinal));

        Assert.Equal(TinyRun.HashOf(job), TinyRunProcess.Hash(["Epochs=0", "PatchBytes=30000"], ("DOTNET_PROCESSOR_COUNT", "1"), "Threads=1"));
    }

    private static QuantizationOptions Options(long bytes) => OptionTable.Read(new Dictionary<string, string> { ["Epochs"] = "0", ["PatchBytes"] = bytes.ToString(CultureInfo.InvariantCulture) });

    private sealed class StopAt(int layer, CancellationTokenSource source) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value)
        {
            if (value.Layer == layer)
            {
                source.Cancel();
            }
        }
    }

    private sealed class Messages(List<string> seen) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value) => seen.Add(value.Message);
    }
}
