using MASQuant.Evaluation.Reports;
using MASQuant.Evaluation.Scores;
using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Facts;

namespace MASQuant.Quantization.Tests.Report;

/// <summary>A small model's facts, made by hand.</summary>
internal static class SampleReport
{
    public static ReportModel Model(string name = "Sample") => new(Manifest(name), Facts, Times);

    public static Manifest Manifest(string name) => new()
    {
        ToolVersion = "1.2.3",
        Name = name,
        Source = name,
        Quantized = true,
        Artifact = name,
        ArtifactBytes = 2_000_000,
        Model = new ManifestModel
        {
            Family = "Qwen25Omni",
            Modalities = ["Text", "Vision", "Audio"],
            HiddenSize = 64,
            IntermediateSize = 128,
            AttentionHeads = 4,
            KeyValueHeads = 2,
            VocabularySize = 100,
            MaxPositions = 128,
        },
        Tokenizer = new ManifestTokenizer { Tokens = 100, Sha256 = "00" },
        Scheme = "W4A8",
        Options = new SortedDictionary<string, string> { ["Method"] = name, ["Rank"] = "8", ["Epochs"] = "2", ["LayerRanks"] = "" },
        Calibration = new ManifestCalibration { File = name, Sha256 = "00", Samples = 128, Tokens = new Dictionary<string, long> { ["Text"] = 9 } },
        Layers = [.. Enumerable.Range(0, 2).Select(layer => new ManifestLayer { Index = layer, Linears = [Linear("self_attn.q_proj", "Qkv", layer), Linear("mlp.down_proj", "Down", layer)] })],
    };

    public static RunFacts Facts => new()
    {
        SourceBytes = 5_000_000,
        Blocks = [.. Enumerable.Range(0, 2).Select(index => new BlockFacts
        {
            Index = index,
            Misalignment = [Misalignment("Qkv", "Text", -0.5, -0.25), Misalignment("Qkv", "Vision", -4 - index, -2), Misalignment("Qkv", "Audio", -8, -3 - index)],
            Spectra = [.. from linear in (string[])["self_attn.q_proj", "mlp.down_proj"] from modality in (string[])["Vision", "Audio"]
                select new SpectrumFacts { Linear = linear, Modality = modality, Count = 4, Plain = [8, 4, 2, 1], Whitened = [8, 2, 0.5, 0.125] }],
        })],
    };

    public static RunTimes Times => new()
    {
        Prepare = 2,
        Write = 1,
        Blocks = [.. Enumerable.Range(0, 2).Select(_ => new SortedDictionary<string, double> { ["Calibrate"] = 3, ["Smooth"] = 60.5, ["Quantize"] = 4, ["Compensate"] = 10 })],
    };

    /// <summary>Full precision and one quantized model on two samples, of which one answer was lost.</summary>
    public static IReadOnlyList<EvaluationResult> Results(string text = "text", params IReadOnlyList<ContentPart> media)
    {
        var lost = new Conversation(7, text, [
            new ChatMessage(ChatRole.System, [new TextPart("Be brief.")]),
            new ChatMessage(ChatRole.User, [.. media, new TextPart(text)]),
            new ChatMessage(ChatRole.Assistant, [new TextPart(text)])]);
        return [Result(0, []), Result(0.01, [new ChangedAnswer(lost, text, text, text + " no")])];

        EvaluationResult Result(double divergence, IReadOnlyList<ChangedAnswer> changed) => new("model", [new TaskResult(text, 2, 10, Figure(divergence), Figure(1), Figure(2), Figure(0.5), Figure(0.5))],
            [new ModalityResult(Modality.Text, 2, 10, Figure(divergence), Figure(1), [20, 18]), new ModalityResult(Modality.Vision, 2, 10, Figure(divergence), Figure(1), [15, 12])])
        { Changed = changed };
    }

    private static Figure Figure(double value) => new(new Estimate(value, value / 2, value * 2), new Estimate(1, 1, 1), new Estimate(0, 0, 0));

    private static MisalignmentFacts Misalignment(string group, string modality, double predicted, double measured) => new()
    {
        Group = group,
        Modality = modality,
        RangeRatios = [0, 0.5, 1, 2, 6],
        PredictedLoss = predicted,
        PredictedSmoothedLoss = predicted / 2,
        MeasuredLoss = measured,
    };

    private static ManifestLinear Linear(string name, string group, int layer) => new()
    {
        Name = name,
        Group = group,
        Outputs = 64,
        Inputs = 64,
        Scheme = "W4A8",
        Bytes = 100_000,
        Ranks = new Dictionary<string, int> { ["Vision"] = 8, ["Audio"] = 8 },
        EffectiveRanks = new Dictionary<string, ManifestEffectiveRank> { ["Vision"] = new(32, 16), ["Audio"] = new(48, 8) },
        Sqnr = new Dictionary<string, ManifestSqnr> { ["Text"] = new(25 + layer, 25 + layer), ["Vision"] = new(12, 27 - layer), ["Audio"] = new(10, 300) },
    };
}
