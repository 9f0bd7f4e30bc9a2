using MASQuant.Engine.Execution;
using MASQuant.Evaluation.Scores;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Options;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

/// <summary>The default method on the other family's structure: random weights have no answers to lose, but outputs to keep.</summary>
[Trait("Lane", "slow")]
public class VlTinyAccuracyTests
{
    [Theory]
    [InlineData("W8A8", 40)]
    [InlineData("W4A8", 40)]
    [InlineData("W4A6", 40)]
    [InlineData("W4A4", 40)]
    [InlineData("W8A8", 3)] // 36 tokens of images, fewer than any layer has inputs.
    [InlineData("W4A8", 3)]
    public void No_modality_ends_below_SmoothQuant(string scheme, int images)
    {
        using var folder = new TemporaryDirectory();
        using var reference = LoadedModel.Load(RepositoryFiles.VlTiny);
        using var smoothQuant = Quantize(folder.File("SmoothQuant"), "SmoothQuant", scheme, images);
        using var masQuant = Quantize(folder.File("MASQuant"), "MASQuant", scheme, images);
        var conversations = ConversationFile.Read(TinyRun.Calibration(folder.File("evaluation"), images: 4, kind: "eval"));
        var results = new ModelEvaluation(reference, [smoothQuant, masQuant], maxTokens: 0).Run(conversations, ["reference", "SmoothQuant", "MASQuant"], null, default);
        foreach (var (uniform, own) in results[1].Modalities.Zip(results[2].Modalities))
        {
            Assert.True(own.BlockSqnr[^1] >= uniform.BlockSqnr[^1], $"{own.Modality}: {string.Join(' ', own.BlockSqnr)} dB against {string.Join(' ', uniform.BlockSqnr)} dB.");
        }

        Assert.Equal([Modality.Text, Modality.Vision], results[2].Modalities.Select(modality => modality.Modality));
    }

    [Fact]
    public void Three_images_are_enough_for_patches_to_help()
    {
        using var folder = new TemporaryDirectory();
        using var reference = LoadedModel.Load(RepositoryFiles.VlTiny);
        using var unpatched = Quantize(folder.File("None"), "MASQuant", "W8A8", images: 3, compensation: "None");
        using var patched = Quantize(folder.File("Output"), "MASQuant", "W8A8", images: 3);
        var conversations = ConversationFile.Read(TinyRun.Calibration(folder.File("evaluation"), images: 4, kind: "eval"));
        var results = new ModelEvaluation(reference, [unpatched, patched], maxTokens: 0).Run(conversations, ["reference", "None", "Output"], null, default);
        var (without, with) = (Vision(results[1]), Vision(results[2]));
        Assert.True(with >= without, $"{with} dB with patches, {without} dB without.");
        static double Vision(EvaluationResult result) => result.Modalities.Single(modality => modality.Modality == Modality.Vision).BlockSqnr[^1];
    }

    private static LoadedModel Quantize(string folder, string method, string scheme, int images, string compensation = "")
    {
        var words = new Dictionary<string, string> { ["Method"] = method, ["Scheme"] = scheme, ["Compensation"] = compensation };
        var job = TinyRun.Job(folder, OptionTable.Read(words)) with { CalibrationFile = TinyRun.Calibration(folder, images) };
        QuantizationPipeline.Run(job);
        return LoadedModel.Load(TinyRun.ArtifactPath(job));
    }
}
