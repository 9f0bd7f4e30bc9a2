using MASQuant.Diagnostics;
using MASQuant.Evaluation.Budgets;
using MASQuant.Evaluation.Reports;
using MASQuant.Formats.Artifacts;

namespace MASQuant.Quantization.Tests.Budgets;

public class BudgetCheckTests
{
    [Fact]
    public void The_weakest_layer_after_compensation_is_the_models_SQNR()
    {
        var manifest = Model((0, "mlp.down_proj", 25, 31), (0, "self_attn.q_proj", 40, 40), (1, "mlp.down_proj", 28, 29.5));
        Assert.Equal((29.5, "1.mlp.down_proj"), (ModelSqnr.Of(manifest, Modality.Vision)!.Decibels, ModelSqnr.Of(manifest, Modality.Vision)!.Name));
        Assert.Null(ModelSqnr.Of(manifest, Modality.Audio));
        Assert.Empty(Check(manifest, new ModelBudgets { MinSqnrVision = 29.5 }));
    }

    [Fact]
    public void A_shortfall_names_its_size_its_layer_and_a_remedy()
    {
        var manifest = Model((0, "mlp.down_proj", 25, 31), (0, "self_attn.q_proj", 40, 40), (1, "mlp.down_proj", 22, 28.25));
        var problem = Assert.Single(Check(manifest, new ModelBudgets { MinSqnrVision = 31.5, MaxBytes = 1000 }));
        Assert.Equal((DiagnosticCodes.BudgetOfSqnrMissed, "App.csproj"), (problem.Code, problem.File));
        Assert.StartsWith("Tiny: Vision has 28.25 dB in layer 1.mlp.down_proj, 3.25 dB less than MinSqnrVision demands (31.5 dB); 2 of 3 layers fall short.", problem.Description, StringComparison.Ordinal);
        Assert.Contains("LayerRanks=\"1.down_proj.Vision:8\"", problem.Message, StringComparison.Ordinal);
        Assert.Contains("LayerSchemes=\"1.Down:W8A8\"", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_has_no_patch_to_enlarge()
    {
        var problem = Assert.Single(Check(Model((0, "mlp.down_proj", 25, 31)), new ModelBudgets { MinSqnrText = 60 }));
        Assert.Contains("Text has 50.0 dB in layer 0.mlp.down_proj, 10.0 dB less", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("LayerRanks", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_patch_that_hardly_helps_is_not_made_larger()
    {
        var problem = Assert.Single(Check(Model((0, "mlp.down_proj", 25, 25.5)), new ModelBudgets { MinSqnrVision = 30 }));
        Assert.DoesNotContain("LayerRanks", problem.Message, StringComparison.Ordinal);
        Assert.Contains("W8A8", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_artifact_too_large_names_the_excess_and_a_rank_that_fits()
    {
        var manifest = Model((0, "mlp.down_proj", 25, 31)) with { ArtifactBytes = 1000 };
        Assert.Empty(Check(manifest, new ModelBudgets { MaxBytes = 1000 }));
        var problem = Assert.Single(Check(manifest, new ModelBudgets { MaxBytes = 600 }));
        Assert.Equal(DiagnosticCodes.BudgetOfBytesExceeded, problem.Code);

        // The patch has 4·(32 + 64) BF16 values, 768 bytes; 400 fewer leave ⌊4·(1 − 400/768)⌋ = 1.
        Assert.Contains("1,000 bytes, 400 bytes more than MaxBytes allows (600 bytes). Of it, patches take 768 bytes", problem.Message, StringComparison.Ordinal);
        Assert.Contains("Rank=\"1\"", problem.Message, StringComparison.Ordinal);
    }

    // 128 rows of 32 values: a byte less for each.
    [Theory]
    [InlineData("Full", 4096, false)]
    [InlineData("Full", 4095, true)]
    [InlineData("W8", 4095, false)]
    public void An_artifact_too_large_is_told_of_a_smaller_head_where_that_is_enough(string head, int excess, bool isTold)
    {
        var manifest = Model((0, "mlp.down_proj", 25, 31)) with { ArtifactBytes = 100_000, Options = new SortedDictionary<string, string> { ["Head"] = head } };
        var problem = Assert.Single(Check(manifest, new ModelBudgets { MaxBytes = 100_000 - excess }));
        Assert.Equal(isTold, problem.Message.Contains("Head=\"W8\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Full", "Full", "W4A8")]
    [InlineData("W8", "Full", "W4A8, head at 8 bits")]
    [InlineData("W8", "W8", "W4A8, head and towers at 8 bits")]
    public void A_models_schemes_name_the_parts_at_8_bits(string head, string towers, string mix)
        => Assert.Equal(mix, SchemeMix.Of(Model((0, "mlp.down_proj", 25, 31)) with { Options = new SortedDictionary<string, string> { ["Head"] = head, ["Towers"] = towers } }));

    [Fact]
    public void A_loss_too_large_names_the_excess_and_the_noisiest_layer()
    {
        var manifest = Model((0, "mlp.down_proj", 25, 31));
        var budgets = new ModelBudgets { MaxEvaluationLoss = 0.01 };
        Assert.Empty(BudgetCheck.Run(budgets, manifest, new EvaluationLoss(0.01, 5, 1), null));
        var problem = Assert.Single(BudgetCheck.Run(budgets, manifest, new EvaluationLoss(0.0125, 5, 1), null));
        Assert.Equal(DiagnosticCodes.BudgetOfLossExceeded, problem.Code);
        Assert.Contains("0.0125 nats per token over 5 tokens, 0.0025 above", problem.Message, StringComparison.Ordinal);
        Assert.Contains("0.mlp.down_proj (31.0 dB)", problem.Message, StringComparison.Ordinal);
        Assert.Single(BudgetCheck.Run(budgets, manifest, new EvaluationLoss(double.NaN, 5, 1), null));
    }

    [Fact]
    public void A_budget_for_a_modality_that_the_model_lacks_is_refused()
        => Assert.Equal(DiagnosticCodes.BudgetNotMeasurable, Assert.Single(Check(Model((0, "mlp.down_proj", 25, 31)), new ModelBudgets { MinSqnrAudio = 1 })).Code);

    [Fact]
    public void Words_come_back_as_they_were()
    {
        var budgets = new ModelBudgets { MinSqnrText = 30.5, MinSqnrVision = -1, MinSqnrAudio = 20, MaxBytes = 9_500_000, MaxEvaluationLoss = 0.01 };
        var words = BudgetTable.Write(budgets);
        Assert.Equal(BudgetTable.All.Count, words.Count);
        Assert.Equal(budgets, BudgetTable.Read(words));
        Assert.Equal(new ModelBudgets(), BudgetTable.Read(new Dictionary<string, string> { ["MaxBytes"] = " " }));
    }

    [Theory]
    [InlineData("MaxBytes", "9.5MB", 9_500_000)]
    [InlineData("MaxBytes", "1 kb", 1000)]
    [InlineData("MaxBytes", "2GB", 2_000_000_000)]
    [InlineData("MaxBytes", "77", 77)]
    public void Bytes_may_have_a_unit(string word, string text, long expected)
        => Assert.Equal(expected, BudgetTable.Read(new Dictionary<string, string> { [word] = text }).MaxBytes);

    [Theory]
    [InlineData("MaxBytes", "-1")]
    [InlineData("MaxBytes", "1e300")]
    [InlineData("MaxBytes", "MB")]
    [InlineData("MaxBytes", "9.5MiB")]
    [InlineData("MinSqnrText", "NaN")]
    [InlineData("MinSqnrText", "high")]
    [InlineData("MaxEvaluationLoss", "-0.1")]
    public void Other_values_are_refused(string word, string text)
        => Assert.Equal(DiagnosticCodes.OptionNotAllowed, Assert.Throws<MASQuantException>(() => BudgetTable.Read(new Dictionary<string, string> { [word] = text })).Code);

    private static IReadOnlyList<MASQuantException> Check(Manifest manifest, ModelBudgets budgets) => BudgetCheck.Run(budgets, manifest, null, "App.csproj");

    private static Manifest Model(params (int Layer, string Name, double Before, double After)[] linears) => new()
    {
        ToolVersion = "1.0.0",
        Name = "Tiny",
        Source = "tiny",
        Quantized = true,
        Artifact = "Tiny.masquant.safetensors",
        ArtifactBytes = 900,
        Scheme = "W4A8",
        Options = new SortedDictionary<string, string> { ["Rank"] = "4", ["WeightQuantizer"] = "Gptq" },
        Model = new ManifestModel { Family = "Qwen25VL", Modalities = ["Text", "Vision"], HiddenSize = 32, IntermediateSize = 64, AttentionHeads = 1, KeyValueHeads = 1, VocabularySize = 128, MaxPositions = 512 },
        Tokenizer = new ManifestTokenizer { Tokens = 128, Sha256 = new string('0', 64) },
        Layers = [.. linears.GroupBy(linear => linear.Layer).Select(layer => new ManifestLayer { Index = layer.Key, Linears = [.. layer.Select(Linear)] })],
    };

    private static ManifestLinear Linear((int Layer, string Name, double Before, double After) linear) => new()
    {
        Name = linear.Name,
        Group = linear.Name == "mlp.down_proj" ? "Down" : "Qkv",
        Outputs = 32,
        Inputs = 64,
        Scheme = "W4A8",
        Bytes = 800,
        Ranks = new SortedDictionary<string, int> { ["Vision"] = 4 },
        Sqnr = new SortedDictionary<string, ManifestSqnr> { ["Text"] = new(50, 50), ["Vision"] = new(linear.Before, linear.After) },
    };
}
