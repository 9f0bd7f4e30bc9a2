using System.Text.Json;
using MASQuant.Engine.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Quantization.Allocation;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Allocation;

public class NoiseMeasurementTests
{
    [Fact]
    public void Ranges_of_blocks_together_are_the_measurement_of_all_bit_for_bit()
    {
        using var folder = new TemporaryDirectory();
        using var checkpoint = Checkpoint.Open(RepositoryFiles.VlTiny);
        var config = ModelConfigReader.Read(checkpoint);
        var sequences = CalibrationSequences.Embed(checkpoint, config, CalibrationSet.Load(TinyRun.Calibration(folder.Path), config, default), new ImageBudget(), default);
        ModelNoise Measure(BlockRange blocks) => new NoiseMeasurement(config.Decoder(), TinyRun.Options, (_, _) => [QuantizationScheme.W4A8, QuantizationScheme.W8A8], ManagedCompute.Instance)
            .Run(blocks, layer => BlockWeights.Of(checkpoint, config.Decoder(), layer), sequences, _ => { }, default);
        var (all, first, last) = (Measure(BlockRange.All), Measure(new BlockRange(0, 0)), Measure(new BlockRange(1, 2)));
        Assert.Equal(Text(all), Text(new ModelNoise(last.Signal, [.. first.Groups, .. last.Groups])));
        Assert.Equal(Text(all with { Groups = [] }), Text(first with { Groups = [] }));
        Assert.Empty(Measure(new BlockRange(0, -1)).Groups);

        static string Text(ModelNoise noise) => JsonSerializer.Serialize(noise, NoiseJson.Default.ModelNoise);
    }

    [Fact]
    public void A_group_disturbs_itself_and_what_follows_by_what_its_residual_says()
    {
        using var folder = new TemporaryDirectory();
        using var checkpoint = Checkpoint.Open(RepositoryFiles.VlTiny);
        var config = ModelConfigReader.Read(checkpoint);
        var sequences = CalibrationSequences.Embed(checkpoint, config, CalibrationSet.Load(TinyRun.Calibration(folder.Path), config, default), new ImageBudget(), default);
        var before = sequences[0].Exact.Span.ToArray();
        QuantizationScheme[] schemes = [QuantizationScheme.W4A8, QuantizationScheme.W8A8];
        var noise = new NoiseMeasurement(config.Decoder(), TinyRun.Options, (_, _) => schemes, ManagedCompute.Instance)
            .Run(layer => BlockWeights.Of(checkpoint, config.Decoder(), layer), sequences, _ => { }, default);

        Assert.Equal(before, sequences[0].Exact.Span.ToArray());
        Assert.Equal(config.Text.Layers * 4 * schemes.Length, noise.Groups.Count);
        var linears = config.Decoder().Blocks[0].Linears;
        foreach (var group in noise.Groups)
        {
            for (var i = 0; i < noise.Signal.Length; i++)
            {
                var (layer, linear) = (i / linears.Count, linears[i % linears.Count]);
                var touched = layer > group.Layer || (layer == group.Layer && linear.Group >= group.Group);
                Assert.True(touched == group.Noise[i][0] > 0, $"{group.Layer}.{group.Group} at {layer}.{linear.Name}: {group.Noise[i][0]}");
            }

            // The same noise, once through the stream and once through the regression's residual. One subtracts in FP32: a relative error of at most 2⁻²⁴ per
            // difference, hence 2⁻²³ of each square and of their sum; 2⁻²² leaves room for the order of the sums in FP64.
            foreach (var patch in group.Patches)
            {
                var index = (group.Layer * linears.Count) + linears.ToList().FindIndex(linear => linear.Name == patch.Linear);
                var streamed = group.Noise[index][(int)patch.Modality];
                Assert.InRange(patch.Energy, streamed * (1 - 2.4e-7), streamed * (1 + 2.4e-7));
                Assert.All(patch.Squares.Zip(patch.Squares.Skip(1)), pair => Assert.True(pair.Second <= pair.First + (1e-12 * patch.Energy)));
                Assert.InRange(patch.Squares.Sum(), 0, patch.Energy * (1 + 1e-6));
            }
        }

        // 16 times finer steps: 24 dB; the activations' 8 bits, which both share, leave less.
        foreach (var (low, high) in noise.Groups.Where(g => g.Scheme == "W4A8").Zip(noise.Groups.Where(g => g.Scheme == "W8A8")))
        {
            Assert.True(noise.Cost(high, Modality.Text) < noise.Cost(low, Modality.Text) / 4, $"{low.Layer}.{low.Group}");
        }
    }

    [Theory]
    [InlineData("", "", true)]
    [InlineData("[1,2,3]", "[1,2]", false)]
    [InlineData("[1,2,3]", "null", false)]
    [InlineData("[1,2,3]", "[1,2,1e309]", false)]
    [InlineData("[[4,5,6]]", "[[4,5,6],[4,5,6]]", false)]
    [InlineData("[[4,5,6]]", "[null]", false)]
    [InlineData("W4A8", "W9A9", false)]
    [InlineData("\"Patches\":[", "\"Patches\":[null,", false)]
    [InlineData("\"Squares\":[1]", "\"Squares\":[1e309]", false)]
    [InlineData("\"Groups\":[", "\"Groups\":[null,", false)]
    [InlineData("Qkv", "99", false)]
    public void Damaged_measurements_are_as_good_as_none(string right, string wrong, bool read)
    {
        const string whole = """{"Signal":[[1,2,3]],"Groups":[{"Layer":0,"Group":"Qkv","Scheme":"W4A8","Noise":[[4,5,6]],"Patches":[{"Linear":"x","Modality":"Vision","Energy":1,"Squares":[1]}]}]}""";
        var text = right.Length > 0 ? whole.Replace(right, wrong, StringComparison.Ordinal) : whole;
        Assert.Equal(read, ModelNoise.TryParse(System.Text.Encoding.UTF8.GetBytes(text)) is not null);
    }
}
