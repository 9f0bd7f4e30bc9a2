using MASQuant.Engine.Execution;
using MASQuant.Evaluation.Scores;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Parts;
using MASQuant.Quantization.Planning;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

/// <summary>The options <c>Head</c> and <c>Towers</c> from a checkpoint to figures.</summary>
[Trait("Lane", "slow")]
public sealed class CodedPartsTests : IDisposable
{
    private static readonly QuantizationOptions Plain = TinyRun.Options with { Epochs = 0, WeightQuantizer = WeightQuantizerKind.Rtn, Compensation = CompensationKind.None };

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Each_part_is_stored_once_and_the_rest_as_the_checkpoint_has_it()
    {
        using var checkpoint = Checkpoint.Open(RepositoryFiles.VlTiny);
        using var artifact = Run(Plain with { Head = PartKind.W8, Towers = PartKind.W8 });
        var names = artifact.Tensors.Select(tensor => tensor.Name).ToHashSet();
        string[] coded = ["model.embed_tokens", "visual.blocks.0.attn.qkv", "visual.blocks.2.mlp.down_proj", "visual.merger.mlp.2"];
        Assert.All(coded, name => Assert.True(names.Contains(name + ".codes") && names.Contains(name + ".scales") && !names.Contains(name + ".weight"), name));
        Assert.All(checkpoint.Tensors.Where(tensor => names.Contains(tensor.Name)), tensor => Assert.True(artifact.Bytes(tensor.Name).Span.SequenceEqual(checkpoint.Bytes(tensor.Name).Span), tensor.Name));
        Assert.Contains("visual.patch_embed.proj.weight", names);
        Assert.DoesNotContain("lm_head.codes", names);
        Assert.Equal(("W8", "W8"), (artifact.Manifest.Options["Head"], artifact.Manifest.Options["Towers"]));
    }

    // A tower at 8 bits alone moves what a picture gives, a table what a word gives.
    [Fact]
    public void An_evaluation_embeds_by_each_models_own_table_and_towers()
    {
        using var reference = LoadedModel.Load(RepositoryFiles.VlTiny);
        var conversations = ConversationFile.Read(TinyRun.Calibration(_folder.Path, images: 2));
        PartKind[] kinds = [PartKind.Full, PartKind.W8];
        var models = kinds.SelectMany(head => kinds.Select(towers => LoadedModel.Load(PathOf(Plain with { Head = head, Towers = towers })))).ToArray();
        var figures = new ModelEvaluation(reference, models, maxTokens: 0).Run(conversations, ["reference", "none", "towers", "head", "both"], null, default).Skip(1).ToArray();
        double First(int model, Modality modality) => figures[model].Modalities.First(figure => figure.Modality == modality).BlockSqnr[0];
        Assert.All([1, 3], model => Assert.True(First(model, Modality.Vision) < First(0, Modality.Vision)));
        Assert.All([2, 3], model => Assert.True(First(model, Modality.Text) < First(0, Modality.Text)));
        Assert.Equal(4, figures.Select(figure => figure.Tasks[0].KullbackLeibler.Value).Distinct().Count());
        Array.ForEach(models, model => model.Dispose());
    }

    [Theory]
    [InlineData(PartKind.W8, PartKind.Full)]
    [InlineData(PartKind.W8, PartKind.W8)]
    public void The_plan_knows_what_they_save(PartKind head, PartKind towers)
    {
        var options = Plain with { Head = head, Towers = towers };
        using var checkpoint = Checkpoint.Open(RepositoryFiles.VlTiny);
        var config = ModelConfigReader.Read(checkpoint);
        long Planned(QuantizationOptions of) => QuantizationPlan.Of(checkpoint, config, of, CalibrationExtent.Typical(config)).ArtifactBytes;
        long Bytes(QuantizationOptions of)
        {
            using var artifact = Run(of);
            return artifact.Tensors.Sum(tensor => tensor.Bytes);
        }

        Assert.Equal(Bytes(Plain) - Bytes(options), Planned(Plain) - Planned(options));
    }

    [Fact]
    public void Joined_parts_store_them_as_one_run_does()
    {
        var job = TinyRun.Job(_folder.Path, Plain with { Head = PartKind.W8, Towers = PartKind.W8 });
        Assert.True(BlockChoice.TryParse("0/1", out var all));
        Directory.CreateDirectory(_folder.File("parts"));
        PartPipeline.Run(PartPipeline.Plan(job with { OutputFolder = _folder.File("parts") }, all, CancellationToken.None), _folder.File("parts/work"), progress: null, CancellationToken.None);
        PartPipeline.Join(job.ModelFolder, PartSet.Open([_folder.File("parts")], CancellationToken.None), _folder.File("joined"), families: null, CancellationToken.None);
        QuantizationPipeline.Run(job);
        Assert.Equal(File.ReadAllBytes(TinyRun.ArtifactPath(job)), File.ReadAllBytes(_folder.File("joined/VlTiny.masquant.safetensors")));
    }

    // Layers of a step read the same codes: all of them are coded, or none.
    [Fact]
    public void A_tensor_of_parts_that_share_panels_stays_as_it_is()
    {
        using var checkpoint = Checkpoint.Open(RepositoryFiles.VlTiny);
        var config = ModelConfigReader.Read(checkpoint);
        var odd = config with { Vision = config.Vision with { HiddenSize = 40 } };
        var coded = CodedParts.Of(checkpoint, odd, Plain with { Towers = PartKind.W8 });
        Assert.DoesNotContain("visual.blocks.0.attn.qkv.weight", coded);
        Assert.Contains("visual.blocks.0.attn.proj.weight", coded);
        Assert.Contains("visual.blocks.0.attn.qkv.weight", CodedParts.Of(checkpoint, config, Plain with { Towers = PartKind.W8 }));
        Assert.Empty(CodedParts.Of(checkpoint, config, Plain));
    }

    private Artifact Run(QuantizationOptions options) => Artifact.Open(PathOf(options));

    private string PathOf(QuantizationOptions options)
    {
        var job = TinyRun.Job(_folder.File($"{options.Head}-{options.Towers}"), options);
        QuantizationPipeline.Run(job);
        return TinyRun.ArtifactPath(job);
    }
}
