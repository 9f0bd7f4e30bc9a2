using MASQuant.Engine.Execution;
using MASQuant.Evaluation.Scores;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Families;

/// <summary>Further families quantized by every scheme: the artifact opens, answers, and loses no more than SmoothQuant's.</summary>
[Trait("Lane", "slow")]
public sealed class FurtherFamilyTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var family in (string[])[nameof(SmallCheckpoint), nameof(SmallCheckpoint.WriteWithStates), FamilyFixtures.Qwen2VL, FamilyFixtures.Qwen3VL, FamilyFixtures.Qwen35])
            {
                // W4A16 has groups of 128 inputs, by which the last one's 192 do not divide.
                foreach (var scheme in QuantizationScheme.All.Where(scheme => family != FamilyFixtures.Qwen3VL || scheme.QuantizesActivations))
                {
                    cases.Add(family, scheme.ToString());
                }
            }

            return cases;
        }
    }

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void An_artifact_answers_and_no_modality_ends_below_SmoothQuant(string family, string scheme)
    {
        var model = family switch
        {
            nameof(SmallCheckpoint) => SmallCheckpoint.Write(_folder.File("model")),
            nameof(SmallCheckpoint.WriteWithStates) => SmallCheckpoint.WriteWithStates(_folder.File("model")),
            _ => FamilyFixtures.Model(family),
        };
        using var reference = LoadedModel.Load(model);
        using var smoothQuant = Quantize(model, "SmoothQuant", scheme);
        using var masQuant = Quantize(model, "MASQuant", scheme);
        var conversations = ConversationFile.Read(TinyRun.Calibration(_folder.File("evaluation"), images: 4, kind: "eval"));
        var results = new ModelEvaluation(reference, [smoothQuant, masQuant], maxTokens: 0).Run(conversations, ["reference", "SmoothQuant", "MASQuant"], null, default);
        Assert.Equal([Modality.Text, Modality.Vision], results[2].Modalities.Select(modality => modality.Modality));
        foreach (var (uniform, own) in results[1].Modalities.Zip(results[2].Modalities))
        {
            // Every block, of attention and of states, where one output was enough for the others.
            if (scheme is "W8A8" or "W4A8" && family is nameof(SmallCheckpoint.WriteWithStates) or FamilyFixtures.Qwen35)
            {
                Assert.All(own.BlockSqnr.Zip(uniform.BlockSqnr), pair => Assert.True(pair.First >= pair.Second, $"{own.Modality}: {string.Join(' ', own.BlockSqnr)} dB against {string.Join(' ', uniform.BlockSqnr)} dB."));
            }

            Assert.True(own.BlockSqnr[^1] >= uniform.BlockSqnr[^1], $"{own.Modality}: {string.Join(' ', own.BlockSqnr)} dB against {string.Join(' ', uniform.BlockSqnr)} dB.");
        }

        var prompt = masQuant.Prepare(new Prompt().Text("Between ").Video([.. Golden.Load("vl/video").Files.Take(3)], framesPerSecond: 4).Text(" and ").Image(Golden.Load("vl/two-images").Files[0]).Text("."));
        Assert.NotEmpty(masQuant.GenerateTokens(prompt, new GenerationOptions { MaxTokens = 4 }));
    }

    private LoadedModel Quantize(string model, string method, string scheme)
    {
        var folder = _folder.File(method);
        var options = OptionTable.Read(new Dictionary<string, string> { ["Method"] = method, ["Scheme"] = scheme });
        var job = TinyRun.Job(folder, options) with { ModelFolder = model, CalibrationFile = TinyRun.Calibration(folder, images: 40) };
        QuantizationPipeline.Run(job);
        return LoadedModel.Load(TinyRun.ArtifactPath(job));
    }
}
