using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Facts;

public class RunFactsTests
{
    [Fact]
    public void A_run_leaves_facts_of_every_group_layer_and_modality()
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path);
        var manifest = QuantizationPipeline.Run(job);
        var facts = FactsFile.ReadFacts(TinyRun.ArtifactPath(job))!;
        Assert.Equal(Directory.GetFiles(job.ModelFolder, "*.safetensors").Sum(file => new FileInfo(file).Length), facts.SourceBytes);
        Assert.Equal([0, 1, 2], facts.Blocks.Select(block => block.Index));
        foreach (var (block, layer) in facts.Blocks.Zip(manifest.Layers))
        {
            Assert.Equal(
                from @group in (string[])["Qkv", "O", "GateUp", "Down"] from modality in (string[])["Text", "Vision"] select (@group, modality),
                block.Misalignment.Select(entry => (entry.Group, entry.Modality)));
            Assert.Equal(layer.Linears.Select(linear => (linear.Name, "Vision", Math.Min(linear.Outputs, linear.Inputs))), block.Spectra.Select(entry => (entry.Linear, entry.Modality, entry.Count)));
            foreach (var spectrum in block.Spectra)
            {
                Assert.Equal(spectrum.Plain.OrderDescending(), spectrum.Plain);
                Assert.Equal(spectrum.Whitened.OrderDescending(), spectrum.Whitened);
                Assert.InRange(spectrum.Plain[0], double.Epsilon, double.MaxValue);
            }
        }
    }

    [Fact]
    public void The_facts_of_a_model_of_seven_billion_parameters_stay_below_a_megabyte()
    {
        var random = new Random(7);
        double[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => Math.Round(-random.NextDouble() * 99, 4))];
        var places = SpectrumSampling.Places(18944).Length;
        string[] linears = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];
        var block = new BlockFacts
        {
            Index = 27,
            Misalignment = [.. from modality in Enum.GetNames<Modality>() from @group in Enum.GetNames<InputGroup>()
                select new MisalignmentFacts { Group = @group, Modality = modality, RangeRatios = Numbers(5), PredictedLoss = Numbers(1)[0], PredictedSmoothedLoss = Numbers(1)[0], MeasuredLoss = Numbers(1)[0] }],
            Spectra = [.. from linear in linears from modality in (string[])["Vision", "Audio"]
                select new SpectrumFacts { Linear = linear, Modality = modality, Count = 18944, Plain = [.. Numbers(places).Select(Math.Abs)], Whitened = [.. Numbers(places).Select(Math.Abs)] }],
        };
        Assert.True(FactsFile.IsWhole(block));
        var bytes = FactsFile.Serialize(new RunFacts { SourceBytes = 15_000_000_000, Blocks = [.. Enumerable.Repeat(block, 28)] }, FactsJson.Default.RunFacts).Length;
        Assert.InRange(bytes, 100_000, 1_000_000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(64)]
    [InlineData(18944)]
    public void Places_begin_at_the_first_value_end_at_the_last_and_are_bounded(int count)
    {
        var places = SpectrumSampling.Places(count);
        Assert.Equal((0, count - 1), (places[0], places[^1]));
        Assert.Equal(places.Order().Distinct(), places);
        Assert.InRange(places.Length, 1, SpectrumSampling.MaxPoints);
    }

    [Fact]
    public void Sampled_values_have_four_digits_at_any_magnitude()
        => Assert.Equal([12350, 1.235e-7], SpectrumSampling.Sample(new Spectrum([12345.678, 1.2345678e-7])).Select(value => value));

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"formatVersion\":2,\"sourceBytes\":1,\"blocks\":[]}")]
    [InlineData("{\"formatVersion\":1,\"sourceBytes\":1,\"blocks\":[null]}")]
    [InlineData("{\"formatVersion\":1,\"sourceBytes\":1,\"blocks\":[{\"index\":0,\"misalignment\":[],\"spectra\":[{\"linear\":\"x\",\"modality\":\"Vision\",\"count\":1,\"plain\":[],\"whitened\":[1]}]}]}")]
    [InlineData("{\"formatVersion\":1,\"sourceBytes\":1,\"blocks\":[{\"index\":0,\"misalignment\":[],\"spectra\":[{\"linear\":\"x\",\"modality\":\"Vision\",\"count\":1,\"plain\":[1],\"whitened\":[]}]}]}")]
    [InlineData("{\"formatVersion\":1,\"sourceBytes\":1,\"blocks\":[{\"index\":0,\"misalignment\":[{\"group\":\"Qkv\",\"modality\":\"Text\",\"rangeRatios\":[1],\"predictedLoss\":0,\"predictedSmoothedLoss\":0}],\"spectra\":[]}]}")]
    [InlineData("{\"formatVersion\":1,\"sourceBytes\":1,\"blocks\":[{\"index\":0,\"misalignment\":[{\"group\":\"Qkv\",\"modality\":\"Text\",\"rangeRatios\":[1,1,1,1,1e309],\"predictedLoss\":0,\"predictedSmoothedLoss\":0,\"measuredLoss\":0}],\"spectra\":[]}]}")]
    [InlineData("{\"formatVersion\":1,\"sourceBytes\":1,\"blocks\":[{\"index\":0,\"misalignment\":[{\"group\":\"Qkv\",\"modality\":\"Text\",\"rangeRatios\":[1,1,1,1,1],\"predictedLoss\":-1e309,\"predictedSmoothedLoss\":0,\"measuredLoss\":0}],\"spectra\":[]}]}")]
    [InlineData("{\"formatVersion\":1,\"sourceBytes\":1,\"blocks\":[{\"index\":0,\"misalignment\":[{\"group\":\"Qkv\",\"modality\":\"Text\",\"rangeRatios\":[1,1,1,1,1],\"predictedLoss\":0,\"predictedSmoothedLoss\":1e309,\"measuredLoss\":0}],\"spectra\":[]}]}")]
    [InlineData("{\"formatVersion\":1,\"sourceBytes\":1,\"blocks\":[{\"index\":0,\"misalignment\":[{\"group\":\"Qkv\",\"modality\":\"Text\",\"rangeRatios\":[1,1,1,1,1],\"predictedLoss\":0,\"predictedSmoothedLoss\":0,\"measuredLoss\":1e309}],\"spectra\":[]}]}")]
    [InlineData("{\"formatVersion\":1,\"sourceBytes\":1,\"blocks\":[{\"index\":0,\"misalignment\":[],\"spectra\":[{\"linear\":\"x\",\"modality\":\"Vision\",\"count\":1,\"plain\":[1e309],\"whitened\":[1]}]}]}")]
    [InlineData("{\"formatVersion\":1,\"sourceBytes\":1,\"blocks\":[{\"index\":0,\"misalignment\":[],\"spectra\":[{\"linear\":\"x\",\"modality\":\"Vision\",\"count\":1,\"plain\":[1],\"whitened\":[-1]}]}]}")]
    public void Damaged_facts_are_as_good_as_none(string content)
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder.File("M.masquant.facts.json"), content);
        Assert.Null(FactsFile.ReadFacts(folder.File("M.masquant.safetensors")));
        Assert.Null(FactsFile.ReadFacts(folder.File("Absent.masquant.json")));
    }

    [Fact]
    public void Whole_facts_are_read()
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder.File("M.masquant.facts.json"), "{\"formatVersion\":1,\"sourceBytes\":1,\"blocks\":[{\"index\":0,\"misalignment\":[{\"group\":\"Qkv\",\"modality\":\"Text\",\"rangeRatios\":[1,1,1,1,1],\"predictedLoss\":0,\"predictedSmoothedLoss\":0,\"measuredLoss\":0}],\"spectra\":[{\"linear\":\"x\",\"modality\":\"Vision\",\"count\":1,\"plain\":[1],\"whitened\":[1]}]}]}");
        File.WriteAllText(folder.File("M.masquant.times.json"), "{\"prepare\":0,\"write\":1000000000,\"blocks\":[{\"Quantize\":0.5}]}");
        Assert.Single(FactsFile.ReadFacts(folder.File("M.masquant.safetensors"))!.Blocks);
        Assert.Single(FactsFile.ReadTimes(folder.File("M.masquant.safetensors"))!.Blocks);
    }

    [Theory]
    [InlineData("{\"prepare\":1e300,\"write\":0,\"blocks\":[]}")]
    [InlineData("{\"prepare\":0,\"write\":-1,\"blocks\":[]}")]
    [InlineData("{\"prepare\":0,\"write\":1e309,\"blocks\":[]}")]
    [InlineData("{\"prepare\":0,\"write\":0,\"blocks\":[null]}")]
    [InlineData("{\"prepare\":0,\"write\":0,\"blocks\":[{\"Quantize\":1e300}]}")]
    public void Times_that_nothing_takes_are_as_good_as_none(string content)
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder.File("M.masquant.times.json"), content);
        Assert.Null(FactsFile.ReadTimes(folder.File("M.masquant.safetensors")));
    }
}
