using System.Text.Json;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

[Trait("Lane", "slow")]
public sealed class MixedSchemesTests : IDisposable
{
    private const string Schemes = "1:W8A8 *.Down:W4A16 2.GateUp:W4A6";
    private const string Ranks = "0:0 1.down_proj:6 2.q_proj.Vision:2";

    private static readonly QuantizationOptions Options = OptionTable.Read(new Dictionary<string, string> { ["Rank"] = "4", ["DeviatingChannels"] = "2", ["Epochs"] = "1", ["FirstBlock"] = "Scheme", ["LayerSchemes"] = Schemes, ["LayerRanks"] = Ranks });

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_layer_has_its_own_scheme_and_rank_and_backends_agree_to_the_bit()
    {
        var job = TinyRun.Job(_folder.Path, Options);
        var manifest = QuantizationPipeline.Run(job);
        Assert.Equal((Schemes, Ranks), (manifest.Options["LayerSchemes"], manifest.Options["LayerRanks"]));
        foreach (var (layer, linear) in manifest.Layers.SelectMany(layer => layer.Linears.Select(linear => (layer.Index, linear))))
        {
            Assert.Equal((layer, linear.Group) switch
            {
                (_, "Down") => "W4A16",
                (1, _) => "W8A8",
                (2, "GateUp") => "W4A6",
                _ => "W4A8",
            }, linear.Scheme);
            Assert.Equal((layer, linear.Name) switch
            {
                (0, _) => 0,
                (1, "mlp.down_proj") => 6,
                (2, "self_attn.q_proj") => 2,
                _ => 4,
            }, linear.Ranks.GetValueOrDefault("Vision"));
            Assert.False(linear.Ranks.ContainsKey("Audio"));
        }

        Assert.Equal(Logits(job, new ScalarGemmBackend()), Logits(job, new CpuGemmBackend()));
    }

    [Fact]
    public void A_cancelled_run_with_mixed_schemes_resumes_with_the_same_bytes()
    {
        var job = TinyRun.Job(_folder.Path, Options);
        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => QuantizationPipeline.Run(job, new Stop(2, source), source.Token));
        QuantizationPipeline.Run(job);
        Assert.Equal(TinyRun.Hash(Options), TinyRun.HashOf(job));
    }

    // Block 0 depends on nothing before it: at W8A8 it is that of a model wholly at W8A8, else that of one wholly at W4A6.
    [Fact]
    public void A_block_is_quantized_at_its_own_scheme_throughout()
    {
        var (low, high) = (Facts("W4A6", ""), Facts("W8A8", ""));
        Assert.NotEqual(low, high);
        Assert.Equal(high, Facts("W4A6", "0:W8A8"));
        Assert.Equal(low, Facts("W4A6", "1-2:W8A8"));
    }

    // Fed by the exact outputs of block 0, block 1 would not notice what block 0 has become.
    [Fact]
    public void A_block_is_fitted_to_what_the_blocks_before_it_have_become()
    {
        Assert.NotEqual(Codes("0:W4A4"), Codes("0:W8A8"));

        byte[] Codes(string layerSchemes)
        {
            using var folder = new TemporaryDirectory();
            var job = TinyRun.Job(folder.Path, OptionTable.Read(new Dictionary<string, string> { ["Compensation"] = "None", ["Smoothing"] = "None", ["LayerSchemes"] = layerSchemes }));
            QuantizationPipeline.Run(job);
            using var artifact = Artifact.Open(TinyRun.ArtifactPath(job));
            return artifact.ReadLinear(1, "self_attn.q_proj").Codes.ToArray();
        }
    }

    private static string Facts(string scheme, string layerSchemes)
    {
        using var folder = new TemporaryDirectory();
        var options = OptionTable.Read(new Dictionary<string, string> { ["Rank"] = "4", ["Epochs"] = "1", ["Scheme"] = scheme, ["FirstBlock"] = "Scheme", ["LayerSchemes"] = layerSchemes });
        var manifest = QuantizationPipeline.Run(TinyRun.Job(folder.Path, options));
        return JsonSerializer.Serialize(manifest.Layers[0], ManifestJson.Default.ManifestLayer);
    }

    private static float[] Logits(QuantizationJob job, IGemmBackend backend)
    {
        using var model = LoadedModel.Load(TinyRun.ArtifactPath(job), new ModelOptions(), content => new CpuExecution(content, backend));
        var image = Directory.GetFiles(Path.Combine(Path.GetDirectoryName(job.CalibrationFile)!, "media"))[0];
        return model.Logits(model.Prepare(new Prompt().Image(image).Text("Read the digits."))).Span.ToArray();
    }

    private sealed class Stop(int layer, CancellationTokenSource source) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value)
        {
            if (value.Layer == layer)
            {
                source.Cancel();
            }
        }
    }
}
