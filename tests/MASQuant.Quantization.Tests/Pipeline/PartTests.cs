using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Blocks;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Parts;
using MASQuant.Quantization.Run;
using MASQuant.Quantization.Smoothing;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

[Trait("Lane", "slow")]
public sealed class PartTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_parts_inputs_do_not_depend_on_how_the_blocks_before_it_are_quantized()
    {
        var options = TinyRun.Options with { Epochs = 0, Scheme = QuantizationScheme.W8A8 };
        Assert.Equal(Layer(options, 2), Layer(options with { FirstBlock = FirstBlockKind.Scheme, LayerSchemes = Schemes("0-1:W4A4") }, 2));
        Assert.NotEqual(Layer(options, 2), Layer(options with { LayerSchemes = Schemes("2:W4A8") }, 2));
    }

    [Fact]
    public void A_parts_first_block_reads_what_the_full_precision_blocks_before_it_give()
    {
        var options = TinyRun.Options with { Epochs = 0 };
        var (checkpoint, decoder, sequences) = Embedded(TinyRun.Job(_folder.Path));
        using var source = checkpoint;
        foreach (var sequence in sequences)
        {
            var hidden = sequence.Exact.Copy();
            for (var layer = 0; layer < 2; layer++)
            {
                BlockWeights.Of(checkpoint, decoder, layer).ToDense().Forward(hidden, sequence.Modalities, sequence.Rotary, new DecoderWorkspace(decoder.Config));
            }

            (sequence.Exact, sequence.Quantized) = (hidden, hidden);
        }

        var weights = BlockWeights.Of(checkpoint, decoder, 2);
        var block = new BlockQuantizer(options, new CpuGemmBackend(), new BlockRunner(decoder.Config, sequences), ManagedCompute.Instance).Quantize(weights.ToDense(), weights, (_, _, _) => { }, CancellationToken.None);
        LayerFile.Write(_folder.File("expected"), block.Layer);
        Assert.Equal(File.ReadAllBytes(_folder.File("expected")), Layer(options, 2));
    }

    [Fact]
    public void Automatic_modality_weights_are_the_whole_models_in_every_part()
    {
        var (checkpoint, decoder, sequences) = Embedded(TinyRun.Job(_folder.Path));
        using var source = checkpoint;
        var weights = GradientWeights.Measure(checkpoint, decoder, sequences, CancellationToken.None);
        var options = TinyRun.Options with { Epochs = 0 };

        // Block 1: the gradients of the last block's output are those of the answers alone, whatever its input.
        var automatic = Layer(options with { ModalityWeights = [] }, 1);
        Assert.Equal(Layer(options with { ModalityWeights = weights[1] }, 1), automatic);
        Assert.NotEqual(Layer(options with { ModalityWeights = weights[0] }, 1), automatic);
    }

    [Fact]
    public void Ranks_under_a_budget_of_bytes_are_the_undivided_runs()
    {
        var options = TinyRun.Options with { Epochs = 0, PatchBytes = 20_000 };
        var whole = QuantizationPipeline.Run(TinyRun.Job(_folder.Path, options));
        var parts = _folder.File("parts");
        for (var i = 0; i < 2; i++)
        {
            Make(options, $"{i}/2", parts);
        }

        var joined = PartPipeline.Join(RepositoryFiles.VlTiny, PartSet.Open([parts], CancellationToken.None), _folder.File("joined"), families: null, CancellationToken.None);
        Assert.Equal(Ranks(whole), Ranks(joined));
        Assert.True(Ranks(whole).Distinct().Count() > 1);
    }

    [Theory]
    [InlineData(6, 3, "0-1 2-3 4-5")]
    [InlineData(7, 3, "0-1 2-3 4-6")]
    [InlineData(3, 3, "0 1 2")]
    [InlineData(28, 5, "0-4 5-10 11-15 16-21 22-27")]
    [InlineData(4, 1, "0-3")]
    public void Shares_follow_each_other_and_are_nearly_equal(int layers, int count, string ranges)
        => Assert.Equal(ranges, string.Join(' ', Enumerable.Range(0, count).Select(i => BlockChoice.TryParse($"{i}/{count}", out var choice) ? choice.Of(layers).ToString() : "?")));

    private static (Checkpoint, DecoderDescription, IReadOnlyList<CalibrationSequence>) Embedded(QuantizationJob job)
    {
        var checkpoint = Checkpoint.Open(job.ModelFolder);
        var config = ModelConfigReader.Read(checkpoint);
        return (checkpoint, config.Decoder(), CalibrationSequences.Embed(checkpoint, config, CalibrationSet.Load(job.CalibrationFile, config), new ImageBudget(), CancellationToken.None));
    }

    private static LayerSchemes Schemes(string text) => LayerSchemes.TryParse(text, out var schemes, out _) ? schemes : throw new FormatException(text);

    private static IEnumerable<string> Ranks(Manifest manifest)
        => manifest.Layers.SelectMany(layer => layer.Linears).Select(linear => string.Join(' ', linear.Ranks.Order()));

    private byte[] Layer(QuantizationOptions options, int block)
        => File.ReadAllBytes(Path.Combine(Make(options, $"{block}", _folder.File(Guid.NewGuid().ToString())), $"layer-00{block}.safetensors"));

    private string Make(QuantizationOptions options, string blocks, string output)
    {
        Directory.CreateDirectory(output);
        Assert.True(BlockChoice.TryParse(blocks, out var choice));
        var plan = PartPipeline.Plan(TinyRun.Job(_folder.Path, options) with { OutputFolder = output }, choice, CancellationToken.None);
        PartPipeline.Run(plan, Path.Combine(output, "work"), progress: null, CancellationToken.None);
        return plan.Folder;
    }
}
