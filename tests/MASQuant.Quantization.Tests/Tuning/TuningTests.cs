using MASQuant.Evaluation.Budgets;
using MASQuant.Evaluation.Tuning;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Allocation;
using MASQuant.Quantization.Compensation;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Options;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Tuning;

public class TuningTests
{
    private static readonly ModelConfig Config = ModelConfigReader.ReadFolder(RepositoryFiles.VlTiny);
    private static readonly DecoderLinear[] Linears = [.. Config.Decoder().Blocks[0].Linears];

    [Fact]
    public void A_setting_and_its_options_say_the_same()
    {
        var random = new Random(3);
        for (var trial = 0; trial < 50; trial++)
        {
            var setting = new ModelSetting(Enumerable.Range(0, Config.Text.Layers * 4).Select(_ => new GroupSetting(
                QuantizationScheme.All[random.Next(trial % 3 + 1)], 4 * random.Next(trial % 4 + 1), 4 * random.Next(trial % 2 + 1))));
            var options = OptionTable.Read(OptionTable.Write(setting.ToOptions(new QuantizationOptions(), [Modality.Text, Modality.Vision, Modality.Audio])));
            for (var g = 0; g < setting.All.Count; g++)
            {
                var (layer, group) = (g / 4, (InputGroup)(g % 4));
                Assert.Equal(setting.All[g].Scheme, options.SchemeFor(layer, group));
                foreach (var linear in Linears.Where(linear => linear.Group == group))
                {
                    Assert.Equal((setting.All[g].RankVision, setting.All[g].RankAudio), (options.RankFor(layer, linear, Modality.Vision), options.RankFor(layer, linear, Modality.Audio)));
                }
            }
        }
    }

    [Fact]
    public void Every_step_of_the_walk_costs_bytes_and_lessens_what_the_budgets_bind()
    {
        var path = new GreedyWalk(Model(), Budgets(40, 40)).Run();
        Assert.All(path[0].Setting.All, group => Assert.Equal(new GroupSetting(QuantizationScheme.W4A8, 0, 0), group));
        Assert.All(path[^1].Setting.All, group => Assert.Equal(QuantizationScheme.W8A8, group.Scheme));
        Assert.All(path.Zip(path.Skip(1)), pair =>
        {
            Assert.True(pair.Second.Bytes > pair.First.Bytes);
            Assert.True(pair.Second.Sqnr[0] + pair.Second.Sqnr[1] > pair.First.Sqnr[0] + pair.First.Sqnr[1] - 1e-9);
        });

        // The group whose noise is ten times the others' is mended first.
        Assert.Equal(new[] { Noisiest }, path[1].Setting.All.Select((group, g) => (group, g)).Where(entry => entry.group != path[0].Setting.All[entry.g]).Select(entry => entry.g));
    }

    [Fact]
    public void No_bytes_are_spent_on_a_modality_without_a_budget()
    {
        var path = new GreedyWalk(Model(), Budgets(40, null)).Run();
        Assert.All(path[^1].Setting.All, group => Assert.Equal(0, group.RankVision));
        Assert.Contains(new GreedyWalk(Model(), Budgets(null, 40)).Run()[^1].Setting.All, group => group.RankVision > 0);
    }

    [Fact]
    public void After_a_real_quantization_its_figures_are_predicted()
    {
        var model = Model();
        var setting = new GreedyWalk(model, Budgets(40, 40)).Run()[3].Setting;
        var random = new Random(4);
        var manifest = Measured(random);
        var point = TuningPoint.Of(model.Corrected(setting, manifest), setting);
        Assert.Equal(manifest.ArtifactBytes, point.Bytes);
        foreach (var modality in Config.Modalities)
        {
            // Eight products and a logarithm in FP64.
            Assert.Equal(manifest.Layers.SelectMany(layer => layer.Linears).Min(linear => linear.Sqnr[modality.ToString()].After), point.Sqnr[(int)modality], 1e-9);
        }
    }

    [Fact]
    public void Between_real_quantizations_predictions_change_steadily_from_one_to_the_other()
    {
        var model = Model();
        var path = new GreedyWalk(model, Budgets(40, 40)).Run();
        ModelSetting[] measured = [path[0].Setting, path[path.Count / 2].Setting, path[^1].Setting];
        double[] offsets = [-6, -2, -3];
        var corrected = model;
        foreach (var i in new[] { 2, 0, 1 })
        {
            corrected = corrected.Corrected(measured[i], Manifest(model, measured[i], offsets[i]));
        }

        double Offset(ModelSetting setting) => TuningPoint.Of(corrected, setting).Sqnr[0] - TuningPoint.Of(model, setting).Sqnr[0];

        // All that was measured stays true, whatever was measured after it. Sums of 12 in FP64 and two logarithms.
        Assert.All(measured.Zip(offsets), pair => Assert.Equal(pair.Second, Offset(pair.First), 1e-9));
        var first = path.Take((path.Count / 2) + 1).Select(point => Offset(point.Setting)).ToArray();
        Assert.All(first.Zip(first.Skip(1)), pair => Assert.True(pair.Second >= pair.First - 1e-9));
        Assert.True(first[1] > -6 + 1e-9 && first[^2] < -2 - 1e-9);
    }

    // Three combinations of other options: honest, 4 dB better, 2 dB better.
    [Fact]
    public void The_search_goes_on_with_the_combination_that_promises_the_fewest_bytes()
    {
        var model = Model();
        var search = new TuningSearch(model, Budgets(12, 12), combinations: 3);
        search.Run(9, point => (Manifest(model, point.Setting, decibels: new[] { 0, 4, 2 }[point.Combination]), null));
        Assert.Equal([0, 1, 2], search.Measured.Take(3).Select(point => point.Combination));
        Assert.Single(search.Measured.Take(3).Select(point => point.Setting).Distinct());
        Assert.True(search.Measured.Count > 3);
        Assert.All(search.Measured.Skip(3).Concat(search.Path), point => Assert.Equal(1, point.Combination));
        Assert.Equal(1, search.Chosen!.Combination);
        Assert.True(search.Chosen.Measured!.ArtifactBytes < search.Measured[0].Measured!.ArtifactBytes);
    }

    [Fact]
    public void No_more_combinations_are_tried_than_points_are_allowed()
    {
        var model = Model();
        var search = new TuningSearch(model, Budgets(18, 18), combinations: 3);
        search.Run(2, point => (Manifest(model, point.Setting, decibels: point.Combination), null));
        Assert.Equal([0, 1], search.Measured.Select(point => point.Combination));
    }

    // An artifact that always has 3 dB less than was predicted.
    [Fact]
    public void The_search_goes_on_until_the_measurement_keeps_the_budget()
    {
        var (model, honest) = (Model(), Model());
        var budgets = Budgets(18, 18);
        var search = new TuningSearch(model, budgets);
        search.Run(9, point => (Manifest(honest, point.Setting, decibels: -3), null));
        Assert.True(search.Measured.Count > 1);
        Assert.False(budgets.AreKept(search.Measured[0]));
        Assert.True(budgets.AreKept(search.Chosen!));
        Assert.Equal(search.Measured.Where(budgets.AreKept).Min(point => point.Measured!.ArtifactBytes), search.Chosen!.Measured!.ArtifactBytes);
    }

    private const int Noisiest = 6;

    private static TuningBudgets Budgets(double? text, double? vision) => new(new ModelBudgets { MinSqnrText = text, MinSqnrVision = vision });

    private static NoiseModel Model()
    {
        var random = new Random(5);
        var count = Config.Text.Layers * Linears.Length;
        double[][] Matrix(Func<int, double> value) => [.. Enumerable.Range(0, count).Select(i => new[] { value(i), value(i), 0.0 })];
        var groups = new List<GroupNoise>();
        for (var g = 0; g < Config.Text.Layers * 4; g++)
        {
            var first = ((g / 4) * Linears.Length) + Array.FindIndex(Linears, linear => (int)linear.Group == g % 4);
            var low = (1 + random.NextDouble()) * (g == Noisiest ? 0.1 : 0.01);
            foreach (var (scheme, noise) in new[] { ("W4A8", low), ("W8A8", low / 100) })
            {
                PatchGain[] patches = [.. Linears.Where(linear => (int)linear.Group == g % 4).Select(linear => new PatchGain(linear.Name, Modality.Vision, 1, [.. Enumerable.Range(0, 64).Select(i => 0.1 * Math.Pow(0.9, i))]))];
                groups.Add(new GroupNoise(g / 4, (InputGroup)(g % 4), scheme, Matrix(i => i >= first ? noise : 0), patches));
            }
        }

        return new NoiseModel(Config, new ModelNoise(Matrix(_ => 1), groups), new QuantizationOptions(), otherBytes: 1_000_000);
    }

    private static Manifest Measured(Random random) => Manifest(linear => 10 + (30 * random.NextDouble()), 1_234_567);

    private static Manifest Manifest(NoiseModel model, ModelSetting setting, double decibels)
    {
        var noise = model.Noise(setting);
        var index = -1;
        return Manifest(_ => Sqnr.Decibels(1, noise[++index / 2 * ModalityMap.ModalityCount]) + decibels, model.Bytes(setting) + 321);
    }

    // One value for each layer and modality, in order.
    private static Manifest Manifest(Func<DecoderLinear, double> decibels, long bytes) => new()
    {
        ToolVersion = "0.0.0",
        Name = "VlTiny",
        Source = "vl-tiny",
        Quantized = true,
        Artifact = "VlTiny.masquant.safetensors",
        ArtifactBytes = bytes,
        Model = ManifestModel.Of(Config),
        Tokenizer = new ManifestTokenizer { Tokens = 1, Sha256 = "" },
        Scheme = "W4A8",
        Layers = [.. Enumerable.Range(0, Config.Text.Layers).Select(layer => new ManifestLayer
        {
            Index = layer,
            Linears = [.. Linears.Select(linear => new ManifestLinear
            {
                Name = linear.Name,
                Group = linear.Group.ToString(),
                Outputs = linear.Outputs,
                Inputs = linear.Inputs,
                Scheme = "W4A8",
                Sqnr = new SortedDictionary<string, ManifestSqnr> { ["Text"] = new(0, decibels(linear)), ["Vision"] = new(0, decibels(linear)) },
            })],
        })],
    };
}
