using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Safetensors;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;
using MASQuant.Quantization.Run;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

/// <summary>The option <c>GuessHead</c> from a checkpoint to answers.</summary>
[Trait("Lane", "slow")]
public sealed class GuessHeadTests : IDisposable
{
    private static readonly QuantizationOptions Without = TinyRun.Options with { Epochs = 0, WeightQuantizer = WeightQuantizerKind.Rtn, Compensation = CompensationKind.None };
    private static readonly QuantizationOptions With = Without with { GuessHead = GuessHeadKind.W8 };

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_is_stored_beside_a_model_that_stays_the_same_and_the_plan_knows_its_bytes()
    {
        var model = SmallCheckpoint.WriteWithGuessHead(_folder.File("model"));
        using var without = Artifact.Open(Run(model, Without));
        using var with = Artifact.Open(Run(model, With));
        var own = with.Tensors.Where(tensor => tensor.Name.StartsWith("mtp.", StringComparison.Ordinal)).ToArray();
        string[] layers = ["fc", "layers.0.self_attn.q_proj", "layers.0.self_attn.k_proj", "layers.0.self_attn.v_proj", "layers.0.self_attn.o_proj", "layers.0.mlp.gate_proj", "layers.0.mlp.up_proj", "layers.0.mlp.down_proj", "head"];
        string[] norms = ["pre_fc_norm_embedding", "pre_fc_norm_hidden", "norm", "layers.0.input_layernorm", "layers.0.post_attention_layernorm", "layers.0.self_attn.q_norm", "layers.0.self_attn.k_norm"];
        Assert.Equal(
            layers.SelectMany(layer => new[] { ".codes", ".scales", ".rotation" }, (layer, kind) => $"mtp.{layer}{kind}").Concat(norms.Select(norm => $"mtp.{norm}.weight")).Order(StringComparer.Ordinal),
            own.Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(without.Tensors, tensor => tensor.Name.StartsWith("mtp.", StringComparison.Ordinal));
        var files = new[] { ArtifactNames.FilePrefix + ArtifactNames.ManifestFileName }; // Names the options.
        Assert.All(without.Tensors.Where(tensor => !files.Contains(tensor.Name)), tensor => Assert.True(with.Bytes(tensor.Name).Span.SequenceEqual(without.Bytes(tensor.Name).Span), tensor.Name));
        Assert.Equal(without.Tensors.Count + own.Length, with.Tensors.Count);

        using var checkpoint = Checkpoint.Open(model);
        var config = ModelConfigReader.Read(checkpoint);
        long Planned(QuantizationOptions options) => QuantizationPlan.Of(checkpoint, config, options, CalibrationExtent.Typical(config)).ArtifactBytes;
        Assert.Equal(own.Sum(tensor => tensor.Bytes), Planned(With) - Planned(Without));
    }

    [Fact]
    public void It_is_no_part_of_a_method() => Assert.All(QuantizationMethod.Names.SkipLast(1), name =>
    {
        var options = TinyRun.Read([$"Method={name}", "GuessHead=W8"]);
        Assert.Equal((name, GuessHeadKind.W8), (OptionTable.All[0].Format(options), options.GuessHead));
    });

    [Fact]
    public async Task Answers_are_the_same_with_it()
    {
        var model = SmallCheckpoint.WriteWithGuessHead(_folder.File("model"));
        using var without = LoadedModel.Load(Run(model, Without));
        using var with = LoadedModel.Load(Run(model, With));
        Assert.Null(without.Decoder.GuessHead);
        Assert.NotNull(with.Decoder.GuessHead);
        var options = new GenerationOptions { MaxTokens = 60, StopTokens = [] };
        foreach (var prompt in new[] { new Prompt().Image(RepositoryFiles.Data("media/eval-ocr-000.png")).Text("Read the digits."), new Prompt().Text("Quote a verse."), new Prompt().Text("Quote a verse. Then one more.") })
        {
            var expected = string.Concat(without.Generate(prompt, options));
            Assert.Equal(expected, string.Concat(with.Generate(prompt, options)));
            var served = "";
            await foreach (var piece in with.GeneratePiecesAsync(prompt, options))
            {
                served += piece.Text;
            }

            Assert.Equal(expected, served);
        }
    }

    [Fact]
    public void A_checkpoint_without_it_or_with_a_part_of_it_is_refused_before_any_work()
    {
        AssertRefused(SmallCheckpoint.WriteWithStates(_folder.File("states")), DiagnosticCodes.OptionNotAllowed);
        AssertRefused(RepositoryFiles.VlTiny, DiagnosticCodes.OptionNotAllowed);
        var model = SmallCheckpoint.WriteWithGuessHead(_folder.File("model"));
        foreach (var (name, index) in new[] { "mtp.norm.weight", "mtp.layers.0.self_attn.q_norm.weight", "mtp.layers.0.mlp.down_proj.weight" }.Select((name, i) => (name, i)))
        {
            AssertRefused(Changed(model, $"missing-{index}", name, tensor: null), DiagnosticCodes.TensorMissing);
            AssertRefused(Changed(model, $"shape-{index}", name, TensorPayload.OfBFloat16(name, new float[24], 3, 8)), DiagnosticCodes.TensorMismatch);
        }

        // Nothing of it is read unless it is asked for.
        Run(Changed(model, "left", "mtp.norm.weight", tensor: null), Without);

        void AssertRefused(string folder, string code)
        {
            var job = Job(folder, With);
            Assert.Equal(code, Assert.Throws<MASQuantException>(() => QuantizationPipeline.Run(job)).Code);
            Assert.False(Directory.Exists(job.OutputFolder) && Directory.EnumerateFiles(job.OutputFolder).Any());
        }
    }

    [Theory]
    [InlineData("\"mtp_num_hidden_layers\": 2")]
    [InlineData("\"mtp_num_hidden_layers\": 0")]
    [InlineData("\"mtp_use_dedicated_embeddings\": true")]
    public void One_of_another_form_is_refused_by_name(string member)
    {
        var model = SmallCheckpoint.WriteWithGuessHead(_folder.File("model"));
        var path = Path.Combine(model, "config.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"hidden_size\": 128,", $"\"hidden_size\": 128, {member},", StringComparison.Ordinal));
        var error = Assert.Throws<MASQuantException>(() => QuantizationPipeline.Run(Job(model, With)));
        Assert.Equal(DiagnosticCodes.OptionNotAllowed, error.Code);
        Assert.Contains("GuessHead", error.Message, StringComparison.Ordinal);
        Run(model, Without);
    }

    private string Changed(string model, string name, string changed, TensorPayload? tensor)
    {
        var folder = _folder.File(name);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(model).Where(file => !file.EndsWith(".safetensors", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        using var weights = SafetensorsFile.Open(Path.Combine(model, "model.safetensors"));
        var kept = weights.Tensors.Where(kept => kept.Name != changed).Select(kept => TensorPayload.From(weights, kept));
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), [.. kept, .. tensor is null ? [] : new[] { tensor }]);
        return folder;
    }

    private string Run(string model, QuantizationOptions options)
    {
        var job = Job(model, options);
        QuantizationPipeline.Run(job);
        return TinyRun.ArtifactPath(job);
    }

    private QuantizationJob Job(string model, QuantizationOptions options) => TinyRun.Job(_folder.File($"{Path.GetFileName(model)}-{options.GuessHead}"), options) with { ModelFolder = model };
}
