using MASQuant.Cuda.Device;
using MASQuant.Cuda.Driver;
using MASQuant.Cuda.Models;
using MASQuant.Cuda.Tests.Towers;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Vision;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Checkpoints;
using MASQuant.Ptx;
using MASQuant.Tests;

namespace MASQuant.Cuda.Tests.Decoding;

/// <summary>Models whose heads are normed and whose towers leave rows for the decoder's first blocks, whole on a device.</summary>
[Trait("Lane", "slow")]
public sealed class DeepstackTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public static TheoryData<string> Families => [FamilyFixtures.Qwen2VL, FamilyFixtures.Qwen3VL];

    private string Small => SmallCheckpoint.Write(_folder.File("checkpoint"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Full_precision_logits_are_within_their_rounding() => DeviceDecoderTests.CompareLogits(new EmulatedDevice(), Small, Seen(), roundInputs: true);

    [Theory]
    [InlineData("W8A8")]
    [InlineData("W4A8")]
    public void Quantized_logits_are_within_their_rounding(string scheme)
    {
        Assert.True(QuantizationScheme.TryParse(scheme, out var parsed));
        DeviceDecoderTests.CompareLogits(new EmulatedDevice(), PlainArtifact.Write(_folder, Small, parsed), Seen(), roundInputs: false);
    }

    // Rows are of the prompt that is evaluated, whatever was evaluated before.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Answers_several_at_once_are_those_of_each_prompt_alone(bool onDevice)
    {
        var options = new GenerationOptions { MaxTokens = 3, StopTokens = [] };
        Prompt[] prompts = [Seen(), new Prompt().Text("Say one."), new Prompt().Image(Golden.Load("vl/two-images").Files[1]).Text("What?")];
        using var model = LoadedModel.Load(Small, new ModelOptions { MaxSequences = 2, PrefillTokens = 16 }, content => onDevice ? new CudaExecution(new EmulatedDevice(), content, ownsDevice: true) : new CpuExecution(content));
        Assert.Equal(prompts.Select(prompt => string.Concat(model.Generate(prompt, options))), model.GenerateBatch(prompts, options));
        Assert.Equal(model.GenerateBatch(prompts, options), model.GenerateBatch(prompts.Reverse(), options).Reverse());
    }

    [SkippableTheory]
    [MemberData(nameof(Families))]
    public void A_familys_logits_are_within_their_rounding(string family)
        => DeviceDecoderTests.CompareLogits(new EmulatedDevice(), PlainArtifact.Write(_folder, FamilyFixtures.Model(family), QuantizationScheme.W8A8), Seen(), roundInputs: false);

    // Videos too: their rows stand at positions of their own, and an odd frame is doubled.
    [SkippableTheory]
    [InlineData(FamilyFixtures.Qwen2VL, "image")]
    [InlineData(FamilyFixtures.Qwen2VL, "video-odd")]
    [InlineData(FamilyFixtures.Qwen3VL, "image")]
    [InlineData(FamilyFixtures.Qwen3VL, "video-odd")]
    public void A_familys_answer_is_the_references(string family, string name)
    {
        var golden = FamilyFixtures.Golden(family, name);
        using var model = LoadedModel.Load(FamilyFixtures.Model(family), new ModelOptions(), content => new CudaExecution(new EmulatedDevice(), content, ownsDevice: true));
        var prompt = model.Prepare(FamilyFixtures.Messages(golden));
        Assert.Equal(golden.Integers("input_ids"), prompt.InputIds);
        Assert.Equal(golden.Integers("greedy").Take(3), model.GenerateTokens(prompt, new GenerationOptions { MaxTokens = 3, StopTokens = [] }));
    }

    [Fact]
    public void A_towers_tokens_and_rows_are_within_their_rounding() => CheckTower(new EmulatedDevice(), Small);

    [SkippableFact]
    public void A_tower_without_either_is_within_its_rounding() => CheckTower(new EmulatedDevice(), FamilyFixtures.Model(FamilyFixtures.Qwen2VL));

    [CudaFact]
    [Trait("Lane", "gpu")]
    public void The_GPU_computes_them_as_well()
    {
        using var device = CudaDevice.Open(0);
        CheckTower(device, Small);
        DeviceDecoderTests.CompareLogits(CudaDevice.Open(0), SmallCheckpoint.Write(_folder.File("plain")), Seen(), roundInputs: true);
        DeviceDecoderTests.CompareLogits(CudaDevice.Open(0), PlainArtifact.Write(_folder, SmallCheckpoint.Write(_folder.File("quantized")), QuantizationScheme.W4A8), Seen(), roundInputs: false);
    }

    // The published extents: heads of 72 and of 64 values, inner layers of 4304.
    [Theory]
    [InlineData(1152, 16, 4304, 2048)]
    [InlineData(1024, 16, 4096, 2560)]
    public void Published_towers_are_taken(int width, int heads, int inner, int outputs)
    {
        using var source = Checkpoint.Open(Small);
        var config = ModelConfigReader.Read(source);
        var vision = config.Vision with { HiddenSize = width, Heads = heads, IntermediateSize = inner, OutHiddenSize = outputs };
        Assert.True(DeviceVisionTower.Supports(config.Family.VisionTower(config with { Vision = vision })));
    }

    private static Prompt Seen() => new Prompt().Image(Golden.Load("vl/two-images").Files[0]).Text(" and ").Image(Golden.Load("vl/two-images").Files[1]).Text("What?");

    // The bound is that of DeviceVisionTowerTests.
    private static void CheckTower(ICudaDevice device, string model)
    {
        using var source = Checkpoint.Open(model);
        var tower = ModelConfigReader.Read(source).VisionTower();
        Assert.True(DeviceVisionTower.Supports(tower));
        var (random, patches, values) = (new Random(5), 2 * 4 * 6, tower.PatchEmbedding.Inputs);
        var image = new ImagePatches(new Matrix(patches, values, [.. Enumerable.Range(0, patches * values).Select(_ => (random.NextSingle() * 4) - 2)]), 2, 4, 6);
        var (exact, rounded) = (new DescribedTower(source, tower, rounds: false).Forward(image), new DescribedTower(source, tower, rounds: true).Forward(image));
        using var onDevice = new DeviceVisionTower(device, new Lock(), source, tower);
        var (actual, processor) = (onDevice.Forward(image), new VisionTower(source, tower).Forward(image));
        for (var level = 0; level < exact.Length; level++)
        {
            var deviation = Reference.Distance(rounded[level], exact[level]);
            Assert.InRange(Reference.Distance(Rows(processor, level), exact[level]), 0, deviation / 20);
            Assert.InRange(Reference.Distance(Rows(actual, level), exact[level]), deviation / 100, 4 * deviation);
        }

        static double[][] Rows(VisionTokens tokens, int level) => Reference.Rows(level == 0 ? tokens.Tokens : tokens.Deepstack[level - 1]);
    }
}
