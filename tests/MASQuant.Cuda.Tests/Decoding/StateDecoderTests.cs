using MASQuant.Cuda.Driver;
using MASQuant.Cuda.Models;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Formats.Checkpoints;
using MASQuant.Ptx;
using MASQuant.Tests;

namespace MASQuant.Cuda.Tests.Decoding;

/// <summary>Models most of whose layers carry a state, whole on a device.</summary>
[Trait("Lane", "slow")]
public sealed class StateDecoderTests : IDisposable
{
    private static readonly Prompt Text = new Prompt().Text("Quote a verse.");
    private readonly TemporaryDirectory _folder = new();

    private string Small => SmallCheckpoint.WriteWithStates(_folder.File("checkpoint"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Full_precision_logits_are_within_their_rounding()
    {
        var path = Small;
        Assert.True(DeviceDecoder.Supports(ModelConfigReader.ReadFolder(path).Decoder()));
        DeviceDecoderTests.CompareLogits(new EmulatedDevice(), path, Text, roundInputs: true);
    }

    [Theory]
    [InlineData("W8A8")]
    [InlineData("W4A8")]
    public void Quantized_logits_are_within_their_rounding(string scheme)
    {
        Assert.True(QuantizationScheme.TryParse(scheme, out var parsed));
        DeviceDecoderTests.CompareLogits(new EmulatedDevice(), PlainArtifact.Write(_folder, Small, parsed), Seen(), roundInputs: false);
    }

    // A state goes on where the chunk before has left it, and the rows that fill a chunk up leave nothing in it.
    [Fact]
    public void A_prompt_in_chunks_is_within_its_rounding()
    {
        var path = PlainArtifact.Write(_folder, Small, QuantizationScheme.W8A8);
        using var model = LoadedModel.Load(path, new ModelOptions { PrefillTokens = 9 }, content => new CudaExecution(new EmulatedDevice(), content, ownsDevice: true));
        using var whole = LoadedModel.Load(path, new ModelOptions(), content => new CudaExecution(new EmulatedDevice(), content, ownsDevice: true));
        using var processor = LoadedModel.Load(path, new ModelOptions { Device = "cpu" });
        var prompt = model.Prepare(Text);
        var exact = processor.Logits(prompt);
        var deviation = Checks.DecoderChecks.Distance(new DecoderSession(Checks.DecoderChecks.Rounded(processor.Decoder, inputs: false)).Logits(prompt, ..), exact);
        Assert.NotEqual(0, prompt.InputIds.Length % 9);
        Assert.InRange(Checks.DecoderChecks.Distance(model.Logits(prompt), exact), 1e-9, 4 * deviation); // the bound of DeviceDecoderTests
        Assert.InRange(Checks.DecoderChecks.Distance(model.Logits(prompt), whole.Logits(prompt)), 0, 8 * deviation);
    }

    // Sequences come and go: their states are copied with their keys and values, and a row that is used again begins anew.
    [Fact]
    public void Answers_several_at_once_are_those_of_each_prompt_alone()
    {
        var options = new GenerationOptions { MaxTokens = 4, StopTokens = [] };
        Prompt[] prompts = [Text, Seen(), new Prompt().Text("Say one."), new Prompt().Text("?"), new Prompt().Text("Name every digit that you see.")];
        using var model = LoadedModel.Load(PlainArtifact.Write(_folder, Small, QuantizationScheme.W8A8), new ModelOptions { MaxSequences = 3, PrefillTokens = 16 }, content => new CudaExecution(new EmulatedDevice(), content, ownsDevice: true));
        var alone = prompts.Select(prompt => string.Concat(model.Generate(prompt, options))).ToArray();
        Assert.Equal(alone, model.GenerateBatch(prompts, options));
        Assert.Equal(alone.Reverse(), model.GenerateBatch(prompts.Reverse(), options));
        Assert.True(alone.Distinct().Count() > 2); // of random weights, and still they tell prompts apart
    }

    [Fact]
    public void Steps_allocate_nothing_and_leaving_gives_all_back()
    {
        var device = new CountingDevice(new EmulatedDevice());
        using (var model = LoadedModel.Load(Small, new ModelOptions(), content => new CudaExecution(device, content)))
        {
            var weights = device.LentBytes;
            using (var tokens = model.GenerateTokens(model.Prepare(Text), new GenerationOptions { MaxTokens = 4, StopTokens = [] }).GetEnumerator())
            {
                Assert.True(tokens.MoveNext() && tokens.MoveNext());
                var (allocations, recordings, launches) = (device.Allocations, device.Recordings, device.Launches);
                Assert.True(tokens.MoveNext() && tokens.MoveNext());
                Assert.Equal((allocations, recordings, launches), (device.Allocations, device.Recordings, device.Launches)); // graphs alone
            }

            Assert.Equal(weights, device.LentBytes);
        }

        Assert.Equal(0, device.LentBytes);
    }

    [SkippableFact]
    public void The_familys_logits_are_within_their_rounding()
        => DeviceDecoderTests.CompareLogits(new EmulatedDevice(), PlainArtifact.Write(_folder, FamilyFixtures.Model(FamilyFixtures.Qwen35), QuantizationScheme.W8A8), Seen(), roundInputs: false);

    [SkippableTheory]
    [InlineData("text")]
    [InlineData("two-images")]
    [InlineData("video-odd")]
    public void The_familys_answer_is_the_references(string name)
    {
        var golden = FamilyFixtures.Golden(FamilyFixtures.Qwen35, name);
        using var model = LoadedModel.Load(FamilyFixtures.Model(FamilyFixtures.Qwen35), new ModelOptions(), content => new CudaExecution(new EmulatedDevice(), content, ownsDevice: true));
        var prompt = model.Prepare(FamilyFixtures.Messages(golden));
        Assert.Equal(golden.Integers("input_ids"), prompt.InputIds);
        Assert.Equal(golden.Integers("greedy").Take(4), model.GenerateTokens(prompt, new GenerationOptions { MaxTokens = 4, StopTokens = [] }));
    }

    [CudaFact]
    [Trait("Lane", "gpu")]
    public void The_GPU_computes_them_as_well()
    {
        DeviceDecoderTests.CompareLogits(CudaDevice.Open(0), SmallCheckpoint.WriteWithStates(_folder.File("plain")), Seen(), roundInputs: true);
        DeviceDecoderTests.CompareLogits(CudaDevice.Open(0), PlainArtifact.Write(_folder, SmallCheckpoint.WriteWithStates(_folder.File("quantized")), QuantizationScheme.W4A8), Seen(), roundInputs: false);
    }

    private static Prompt Seen() => new Prompt().Image(Golden.Load("vl/two-images").Files[0]).Text("What?");
}
