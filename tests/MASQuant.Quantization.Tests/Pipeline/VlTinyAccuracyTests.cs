using MASQuant.Calibration;
using MASQuant.Evaluation;
using MASQuant.Quantization;

namespace MASQuant.Tests.Pipeline;

/// <summary>The default method on the other family's structure: random weights have no answers to lose, but outputs to keep.</summary>
public class VlTinyAccuracyTests
{
    [Theory]
    [InlineData("W8A8")]
    [InlineData("W4A8")]
    [InlineData("W4A6")]
    public void No_modality_ends_below_SmoothQuant(string scheme)
    {
        using var folder = new TemporaryDirectory();
        using var reference = MultimodalModel.Load(RepositoryFiles.VlTiny);
        using var smoothQuant = Quantize(folder.File("SmoothQuant"), "SmoothQuant", scheme);
        using var masQuant = Quantize(folder.File("MASQuant"), "MASQuant", scheme);
        var conversations = ConversationFile.Read(TinyRun.Calibration(folder.File("evaluation"), images: 4, kind: "eval"));
        var results = new ModelEvaluation(reference, [smoothQuant, masQuant], maxTokens: 0).Run(conversations, ["reference", "SmoothQuant", "MASQuant"], null, default);
        foreach (var (uniform, own) in results[1].Modalities.Zip(results[2].Modalities))
        {
            Assert.True(own.BlockSqnr[^1] >= uniform.BlockSqnr[^1], $"{own.Modality}: {string.Join(' ', own.BlockSqnr)} dB against {string.Join(' ', uniform.BlockSqnr)} dB.");
        }

        Assert.Equal([Modality.Text, Modality.Vision], results[2].Modalities.Select(modality => modality.Modality));
    }

    private static MultimodalModel Quantize(string folder, string method, string scheme)
    {
        // Patches are regressions: they need several times as many tokens of a modality as their rank and the factors' freedom.
        var job = TinyRun.Job(folder, OptionTable.Read(new Dictionary<string, string> { ["Method"] = method, ["Scheme"] = scheme })) with { CalibrationFile = TinyRun.Calibration(folder, images: 40) };
        QuantizationPipeline.Run(job);
        return MultimodalModel.Load(TinyRun.ArtifactPath(job));
    }
}
