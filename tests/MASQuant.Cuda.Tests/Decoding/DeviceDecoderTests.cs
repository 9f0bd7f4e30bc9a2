using MASQuant.Cuda.Device;
using MASQuant.Cuda.Driver;
using MASQuant.Cuda.Gemm;
using MASQuant.Cuda.Models;
using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Ptx;
using MASQuant.Tests;

namespace MASQuant.Cuda.Tests.Decoding;

/// <summary>Whole models through the shipped kernels: executed by the interpreter everywhere, and by the GPU where there is one.</summary>
[Trait("Lane", "slow")]
public sealed class DeviceDecoderTests : IDisposable
{
    private static readonly Prompt Text = new Prompt().Text("Say one.");
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Quantized_answers_equal_the_processors() => CompareAnswers(new EmulatedDevice(), PlainArtifact.Write(_folder, RepositoryFiles.OmniTiny, QuantizationScheme.W8A8), steps: 4);

    [Fact]
    public void Penalized_answers_equal_the_processors()
    {
        var penalized = new GenerationOptions { RepetitionPenalty = 0.01, FrequencyPenalty = 0.5 }; // prefers what the prompt holds
        CompareAnswers(new EmulatedDevice(), PlainArtifact.Write(_folder, RepositoryFiles.OmniTiny, QuantizationScheme.W8A8), steps: 4, penalized);
    }

    [Fact]
    public void Answers_of_rotated_weights_equal_the_processors()
        => CompareAnswers(new EmulatedDevice(), PlainArtifact.Write(_folder, RepositoryFiles.OmniTiny, QuantizationScheme.W8A8, rotated: true), steps: 2);

    // The head is a product of codes on either side, and the embedding of the same values; in one model they are one table.
    [Theory]
    [InlineData("omni-tiny")]
    [InlineData("vl-tiny")]
    public void Answers_of_a_head_at_8_bits_equal_the_processors(string model)
    {
        var path = PlainArtifact.Write(_folder, Path.Combine(RepositoryFiles.Root, "samples", "models", model), QuantizationScheme.W8A8, codesParts: true);
        using (var artifact = Artifact.Open(path))
        {
            Assert.True(artifact.HasCodedParts && artifact.Tensors.All(tensor => !tensor.Name.EndsWith("embed_tokens.weight", StringComparison.Ordinal) && tensor.Name != "lm_head.weight"));
        }

        CompareAnswers(new EmulatedDevice(), path, steps: 2);
        CompareLogits(new EmulatedDevice(), path, Text, roundInputs: false);
    }

    // To the bits of a checkpoint of those values.
    [Fact]
    public void A_tower_at_8_bits_is_widened_on_the_device()
    {
        using var checkpoint = Checkpoint.Open(RepositoryFiles.VlTiny);
        using var artifact = Artifact.Open(PlainArtifact.Write(_folder, RepositoryFiles.VlTiny, QuantizationScheme.W8A8, codesParts: true));
        var tower = ModelConfigReader.Read(checkpoint).VisionTower();
        SafetensorsWriter.Write(_folder.File("widened"), [.. checkpoint.Tensors.Where(tensor => tensor.Name.StartsWith("visual", StringComparison.Ordinal)).Select(tensor => CodedMatrix.IsStored(artifact, tensor.Name) ? Widen(tensor) : TensorPayload.From(checkpoint, tensor))]);
        using var widened = SafetensorsFile.Open(_folder.File("widened"));
        Assert.True(CodedMatrix.IsStored(artifact, "visual.blocks.0.attn.qkv.weight"));
        var values = 16 * tower.PatchEmbedding.Inputs;
        var image = new ImagePatches(new Matrix(16, tower.PatchEmbedding.Inputs, [.. Enumerable.Range(0, values).Select(i => (i % 7) - 3f)]), 1, 4, 4);
        using var coded = new DeviceVisionTower(new EmulatedDevice(), new Lock(), artifact, tower);
        using var plain = new DeviceVisionTower(new EmulatedDevice(), new Lock(), widened, tower);
        Assert.Equal(plain.Forward(image).Tokens.Span.ToArray(), coded.Forward(image).Tokens.Span.ToArray());

        TensorPayload Widen(TensorInfo tensor)
        {
            var (rows, columns) = (tensor.Shape[0], tensor.Shape[1]);
            return TensorPayload.OfBytes(tensor.Name, DataType.BF16, CodedRows.ToBFloat16(CodedMatrix.TryRead(artifact, tensor.Name, rows, columns)!, 0, rows, columns), rows, columns);
        }
    }

    // Three modalities in one medium, at positions that go back and forth.
    [Fact]
    public void A_video_with_its_sound_is_within_its_rounding()
    {
        var prompt = new Prompt().Pixels(max: 28 * 28, min: 1).Video(Golden.Load("omni/video").Files, 2, Golden.Load("omni/audio").Files[0]).Text("?");
        CompareLogits(new EmulatedDevice(), PlainArtifact.Write(_folder, RepositoryFiles.OmniTiny, QuantizationScheme.W8A8), prompt, roundInputs: false);
    }

    // The golden's positions are those of a plain sequence.
    [SkippableTheory]
    [InlineData("video-sound")]
    [InlineData("video-sound-long")]
    public void The_answer_about_a_video_with_its_sound_is_the_references(string name)
    {
        var golden = FamilyFixtures.OmniVideo(name);
        var expected = golden.Integers("greedy");
        using var model = LoadedModel.Load(RepositoryFiles.OmniTiny, new ModelOptions(), content => new CudaExecution(new EmulatedDevice(), content, ownsDevice: true));
        var prompt = model.Prepare(new Prompt().Video(golden.Files[..^1], golden.Json.GetProperty("fps").GetDouble(), golden.Files[^1]).Text("Transcribe the speech."));
        Assert.Equal(golden.Integers("input_ids"), prompt.InputIds);
        Assert.Equal(expected, model.GenerateTokens(prompt with { PositionIds = PositionIds.Text(0, prompt.InputIds.Length) }, new GenerationOptions { MaxTokens = expected.Length }));
    }

    [Fact]
    public void Full_precision_logits_are_within_their_rounding() => CompareLogits(new EmulatedDevice(), RepositoryFiles.VlTiny, Text, roundInputs: true);

    [Fact]
    public void Quantized_logits_are_within_their_rounding()
    {
        var image = Golden.Load("vl/two-images").Files[0];
        CompareLogits(new EmulatedDevice(), PlainArtifact.Write(_folder, RepositoryFiles.VlTiny, QuantizationScheme.W8A8), new Prompt().Image(image).Text("What?"), roundInputs: false);
    }

    [Fact]
    public void Quantized_logits_on_Hopper_are_within_their_rounding()
    {
        var device = new EmulatedDevice { ComputeCapability = 90 };
        CompareLogits(device, PlainArtifact.Write(_folder, RepositoryFiles.VlTiny, QuantizationScheme.W4A8), LongQuestion(), roundInputs: false);
        Assert.NotEqual(0, device.Counts.Of("wgmma.mma_async"));
    }

    [CudaFact]
    [Trait("Lane", "gpu")]
    public void The_GPU_answers_like_the_processor()
    {
        foreach (var scheme in (QuantizationScheme[])[QuantizationScheme.W8A8, QuantizationScheme.W4A8])
        {
            using var folder = new TemporaryDirectory();
            CompareAnswers(CudaDevice.Open(0), PlainArtifact.Write(folder, RepositoryFiles.OmniTiny, scheme), steps: 16);
        }

        CompareAnswers(CudaDevice.Open(0), RepositoryFiles.OmniTiny, steps: 16);
        CompareLogits(CudaDevice.Open(0), RepositoryFiles.VlTiny, Text, roundInputs: true);
        CompareLogits(CudaDevice.Open(0), PlainArtifact.Write(_folder, RepositoryFiles.VlTiny, QuantizationScheme.W4A8), LongQuestion(), roundInputs: false);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.7)]
    public void Steps_record_once_and_allocate_nothing(double temperature)
    {
        var device = new CountingDevice(new EmulatedDevice());
        using (var model = LoadedModel.Load(RepositoryFiles.VlTiny, new ModelOptions(), content => new CudaExecution(device, content)))
        {
            var weights = device.LentBytes;
            using (var tokens = model.GenerateTokens(model.Prepare(Text), new GenerationOptions { Temperature = temperature, TopP = 0.9, MaxTokens = 4, StopTokens = [] }).GetEnumerator())
            {
                Assert.True(tokens.MoveNext() && tokens.MoveNext());
                var (allocations, recordings, launches) = (device.Allocations, device.Recordings, device.Launches);
                var (written, read) = (device.WrittenBytes, device.ReadBytes);
                Assert.True(tokens.MoveNext() && tokens.MoveNext());
                Assert.Equal((allocations, recordings, launches), (device.Allocations, device.Recordings, device.Launches)); // graphs alone
                Assert.Equal(2, recordings); // the prompt's and a step's

                // In: the cached tokens, a token's angles, its id, and from the next multiple of 8 on how it is drawn. Out: the chosen id and the largest logit.
                var values = DeviceWorkspace.AnglesStart + (model.Config.Text.HeadSize * sizeof(float)) + sizeof(int);
                Assert.Equal(2 * (temperature == 0 ? values : values + sizeof(int) + TokenDraw.Bytes), device.WrittenBytes - written);
                Assert.Equal(2 * TokenKernels.ChoiceBytes, device.ReadBytes - read);
            }

            Assert.Equal(weights, device.LentBytes);
        }

        Assert.Equal(0, device.LentBytes);
    }

    [Fact]
    public void A_model_that_is_disposed_while_it_answers_leaves_nothing_on_the_device()
    {
        var device = new CountingDevice(new EmulatedDevice());
        var model = LoadedModel.Load(RepositoryFiles.VlTiny, new ModelOptions(), content => new CudaExecution(device, content));
        using (var tokens = model.GenerateTokens(model.Prepare(Text), new GenerationOptions { StopTokens = [] }).GetEnumerator())
        {
            Assert.True(tokens.MoveNext() && tokens.MoveNext());
            model.Dispose();
            Assert.Equal(0, device.LentBytes);
            Assert.Throws<ObjectDisposedException>(() => tokens.MoveNext());
        }

        model.Dispose();
        Assert.Equal(0, device.LentBytes);
    }

    // As evaluation asks for: the processor's decoder, whose quantized layers are the device's.
    [Fact]
    public void Quantized_layers_of_the_processors_decoder_are_on_the_device()
    {
        var path = PlainArtifact.Write(_folder, RepositoryFiles.OmniTiny, QuantizationScheme.W8A8);
        using var processor = LoadedModel.Load(path, new ModelOptions { Device = "cpu" });
        var device = new CountingDevice(new EmulatedDevice());
        using (var model = LoadedModel.Load(path, new ModelOptions(), content => new CudaExecution(device, content)))
        {
            var (lent, launches, prompt) = (device.LentBytes, device.Launches, processor.Prepare(Text));
            var logits = new DecoderSession(model.Decoder).Logits(prompt, ..);
            Assert.Equal(processor.Logits(prompt).Span.ToArray(), logits.Span.ToArray());
            Assert.True(device.LentBytes > lent && device.Launches > launches);
        }

        Assert.Equal(0, device.LentBytes);
    }

    // Room for nothing, and for the vision tower alone.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_model_that_does_not_fit_gives_back_memory_and_device(int allocations)
    {
        var device = new FullDevice(new CountingDevice(new EmulatedDevice()), allocations);
        Assert.Throws<MASQuantException>(() => LoadedModel.Load(RepositoryFiles.VlTiny, new ModelOptions(), content => new CudaExecution(device, content, ownsDevice: true)));
        Assert.Equal((0, true), (device.Inner.LentBytes, device.IsDisposed));
    }

    // More than 64 tokens, vision and text: on Hopper the warpgroup kernels, whose codes lie in tiles, for the blocks; mma.sync for the head.
    private static Prompt LongQuestion() => new Prompt().Image(Golden.Load("vl/two-images").Files[0]).Text(string.Join(' ', Enumerable.Repeat("What is on the picture?", 12)));

    // The device's logits differ from the processor's within bounds, so its choices are compared with the sampler's from its own.
    [Fact]
    public void Chance_draws_the_samplers_tokens_on_the_device()
    {
        var path = PlainArtifact.Write(_folder, RepositoryFiles.OmniTiny, QuantizationScheme.W8A8);
        using var source = LoadedModel.Load(path, new ModelOptions { Device = "cpu" });
        var device = new ListeningDevice(new EmulatedDevice(), source.Config.Text.VocabularySize);
        using var model = LoadedModel.Load(path, new ModelOptions(), content => new CudaExecution(device, content));
        var prompt = model.Prepare(Text);
        foreach (var options in (GenerationOptions[])[new() { Temperature = 50, Seed = 3 }, new() { Temperature = 5, TopK = 40, TopP = 0.9, MinP = 0.01, Seed = 4 }, new() { Temperature = 5, FrequencyPenalty = 2, Seed = 5 }, new()])
        {
            device.Logits.Clear();
            var answer = model.GenerateTokens(prompt, options with { MaxTokens = 3, StopTokens = [] }).ToArray();
            var sampler = new Sampler(options);
            sampler.Penalties?.Begin(prompt.InputIds);
            Assert.Equal(device.Logits.Select(logits => sampler.Next(logits)), answer);
            Assert.Equal(3, answer.Length);
            Assert.Equal(options.Temperature == 0, answer.SequenceEqual(device.Logits.Select(logits => Array.IndexOf(logits, logits.Max())))); // chance did decide
        }
    }

    private static void CompareAnswers(ICudaDevice device, string path, int steps, GenerationOptions? generation = null)
    {
        var options = (generation ?? new()) with { MaxTokens = steps, StopTokens = [] };
        using var processor = LoadedModel.Load(path, new ModelOptions { Device = "cpu" });
        using var model = LoadedModel.Load(path, new ModelOptions(), content => new CudaExecution(device, content, ownsDevice: true));
        var prompt = processor.Prepare(Text);
        int[] answer = [.. processor.GenerateTokens(prompt, options)];
        Assert.Equal(answer, model.GenerateTokens(prompt, options).ToArray());
        Assert.Equal(generation is null, answer.SequenceEqual(processor.GenerateTokens(prompt, new GenerationOptions { MaxTokens = steps, StopTokens = [] })));
    }

    // How far roundings carry through layers is measured on the processor, with the same roundings in the same places: queries, keys and values, and in full
    // precision every layer's input, to BF16. The device adds those of probabilities and, in the low-rank branch, of its operands, and of the head's input: of the same
    // size, in fewer places, and independent, so that twice the processor's own deviation (in the norm of all logits) bounds it, with as much again for the draw.
    internal static void CompareLogits(ICudaDevice device, string path, Prompt question, bool roundInputs)
    {
        using var processor = LoadedModel.Load(path, new ModelOptions { Device = "cpu" });
        using var model = LoadedModel.Load(path, new ModelOptions(), content => new CudaExecution(device, content, ownsDevice: true));
        var prompt = processor.Prepare(question);
        var exact = processor.Logits(prompt);
        var rounded = new DecoderSession(DecoderChecks.Rounded(processor.Decoder, roundInputs)).Logits(prompt, ..);
        var actual = model.Logits(prompt);
        var (distance, deviation) = (DecoderChecks.Distance(actual, exact), DecoderChecks.Distance(rounded, exact));
        Assert.InRange(distance, 1e-9, 4 * deviation);

        // Chunks cut through media; each row is bound as before.
        using var chunked = LoadedModel.Load(path, new ModelOptions { PrefillTokens = 7 }, content => new CudaExecution(device, content));
        Assert.InRange(DecoderChecks.Distance(chunked.Logits(prompt), exact), 1e-9, 4 * deviation);

        // Any range of rows is those rows; another number of rows may sum in another order, in FP32, 2⁻¹⁴ of what BF16 rounds.
        var last = model.Logits(prompt, ^2..);
        Assert.InRange(DecoderChecks.Distance(last, new Matrix(2, actual.Columns, actual.Span[^(2 * actual.Columns)..].ToArray())), 0, deviation / 100);
    }

    /// <summary>A device whose memory is full after some allocations.</summary>
    private sealed class FullDevice(CountingDevice inner, int allocations) : ForwardingDevice(inner)
    {
        public CountingDevice Inner { get; } = inner;

        public bool IsDisposed { get; private set; }

        public override IDeviceMemory Allocate(long bytes)
            => Inner.Allocations < allocations ? base.Allocate(bytes) : throw new MASQuantException(DiagnosticCodes.DeviceMemoryExhausted, null, "full");

        public override void Dispose()
        {
            IsDisposed = true;
            base.Dispose();
        }
    }
}
