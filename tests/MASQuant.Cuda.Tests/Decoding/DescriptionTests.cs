using MASQuant.Cuda.Models;
using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Ptx;
using MASQuant.Tests;

namespace MASQuant.Cuda.Tests.Decoding;

/// <summary>A device computes what the description says, as the processor does.</summary>
public sealed class DescriptionTests : IDisposable
{
    private readonly Checkpoint _source = Checkpoint.Open(RepositoryFiles.VlTiny);

    public void Dispose() => _source.Dispose();

    // The bound is that of DeviceDecoderTests: four times what the same roundings do on the processor.
    [Fact]
    public void SwappedHalvesOfABlockAreSwappedOnTheDevice()
    {
        var usual = ModelConfigReader.Read(_source).Decoder();
        var swapped = Described(usual, block => [.. block.SkipWhile(step => step is not AddStep).Skip(1), .. block.TakeWhile(step => step is not AddStep), new AddStep()]);
        using var device = DeviceDecoder.Read(new EmulatedDevice(), new Lock(), _source, swapped, TokenEmbedding.Of(_source, swapped));
        using var session = new DeviceSession(device, prefillTokens: 512);
        var processor = OnProcessor(swapped);
        var prompt = Prompt(processor);
        var (exact, actual) = (new DecoderSession(processor).Logits(prompt, ..), session.Logits(prompt, ..));
        var deviation = DecoderChecks.Distance(new DecoderSession(DecoderChecks.Rounded(processor, inputs: true)).Logits(prompt, ..), exact);
        Assert.InRange(DecoderChecks.Distance(actual, exact), 1e-9, 4 * deviation);
        Assert.True(DecoderChecks.Distance(new DecoderSession(OnProcessor(usual)).Logits(prompt, ..), exact) > 10 * deviation);
    }

    [Fact]
    public void TensorsAreReadByTheNamesOfTheDescription()
    {
        var renamed = Described(ModelConfigReader.Read(_source).Decoder(), block => [.. block.Select(step => step is NormalizeStep { Norm.Name: "input_layernorm" } norm ? norm with { Norm = norm.Norm with { Name = "ln_1" } } : step)]);
        var exception = Assert.Throws<MASQuantException>(() => DeviceDecoder.Read(new EmulatedDevice(), new Lock(), _source, renamed, TokenEmbedding.Of(_source, renamed)));
        Assert.Equal(DiagnosticCodes.TensorMissing, exception.Code);
        Assert.Contains("'model.layers.0.ln_1.weight'", exception.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> Unknown => ["Convolve", "Attend", "Gate", "Rotate"];

    // A step that no kernel computes, attention without positions, a gate whose result no layer reads, and a rotation that attention does not follow.
    [Theory]
    [MemberData(nameof(Unknown))]
    public void StepsThatKernelsDoNotTakeAreRefusedByTheirNames(string name)
    {
        var usual = ModelConfigReader.Read(_source).Decoder();
        Assert.True(DeviceDecoder.Supports(usual));
        var other = Described(usual, block => name switch
        {
            "Convolve" => [.. block, new ConvolveStep()],
            "Attend" => [.. block.Where(step => step is not RotateStep)],
            "Gate" => [.. block.TakeWhile(step => step is not GateStep), new GateStep(), new AddStep()],
            _ => [.. block, new RotateStep()],
        });
        Assert.False(DeviceDecoder.Supports(other));
        var exception = Assert.Throws<NotSupportedException>(() => DeviceDecoder.Read(new EmulatedDevice(), new Lock(), _source, other, TokenEmbedding.Of(_source, other)));
        Assert.Contains($"'{name}'", exception.Message, StringComparison.Ordinal);
    }

    // Keys of 48 values have no kernel: such a decoder runs on the processor, its quantized layers on the device.
    [Fact]
    public void ADecoderWithStatesOfOtherWidthsStaysOnTheProcessor()
    {
        using var folder = new TemporaryDirectory();
        var checkpoint = SmallCheckpoint.WriteWithStates(folder.File("checkpoint"), keySize: 48);
        var decoder = ModelConfigReader.ReadFolder(checkpoint).Decoder();
        Assert.False(DeviceDecoder.Supports(decoder));
        Assert.Contains("'DeltaRule'", Assert.Throws<NotSupportedException>(() => new DeviceTransformerBlock(decoder.Blocks[0], [], [])).Message, StringComparison.Ordinal);

        var options = new GenerationOptions { MaxTokens = 4, StopTokens = [] };
        var prompt = new Prompt().Text("Quote a verse.");
        using var processor = LoadedModel.Load(PlainArtifact.Write(folder, checkpoint, QuantizationScheme.W8A8));
        using var device = LoadedModel.Load(PlainArtifact.Write(folder, checkpoint, QuantizationScheme.W8A8), new ModelOptions(), content => new CudaExecution(new EmulatedDevice(), content, ownsDevice: true));
        Assert.Equal(string.Concat(processor.Generate(prompt, options)), string.Concat(device.Generate(prompt, options)));
    }

    private static DecoderDescription Described(DecoderDescription decoder, Func<IReadOnlyList<BlockStep>, IReadOnlyList<BlockStep>> steps, RotaryDescription? rotary = null) => new()
    {
        Config = decoder.Config,
        Embedding = decoder.Embedding,
        Blocks = [.. decoder.Blocks.Select(block => new BlockDescription(block.Prefix, steps(block.Steps)))],
        FinalNorm = decoder.FinalNorm,
        Head = decoder.Head,
        Rotary = rotary ?? decoder.Rotary,
    };

    private static PreparedPrompt Prompt(Decoder decoder)
    {
        int[] ids = [5, 17, 240, 3, 99, 12, 7];
        var embeddings = new Matrix(ids.Length, decoder.Config.HiddenSize);
        decoder.Embedding.Lookup(ids, embeddings);
        return new PreparedPrompt { InputIds = ids, PositionIds = PositionIds.Text(0, ids.Length), InputEmbeddings = embeddings, Modalities = ModalityMap.Text(ids.Length), AnswerRange = ids.Length..ids.Length };
    }

    private Decoder OnProcessor(DecoderDescription description) => Decoder.Read(_source, description, layer => TransformerBlock.Read(_source, description.Blocks[layer]));

    private sealed record ConvolveStep : BlockStep;
}
