using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using MASQuant.Formats.Artifacts;
using MASQuant.Generators;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace MASQuant.Bench;

/// <summary>How long the source generator takes for a model of 80 layers in the shapes of Qwen2.5-VL-72B, once its code is compiled: what an editor waits for after the first manifest.</summary>
internal static class GeneratorTime
{
    private const int Rounds = 21;
    private const int Layers = 80;
    private const double HoldMilliseconds = 200;
    private static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.CSharp12);

    /// <summary>Prints the medians; returns 0 when all hold, otherwise 1.</summary>
    /// <param name="cpuTime">Take the processor time of this process instead of the clock: for a machine that others use too.</param>
    public static int Run(bool cpuTime)
    {
        for (var warmUp = 0; warmUp < 10; warmUp++)
        {
            Round(warmUp, false);
        }

        var rounds = Enumerable.Range(100, Rounds).Select(round => Round(round, cpuTime)).ToArray();
        Console.WriteLine($"| {Layers} layers | median of {Rounds} | hold | |");
        Console.WriteLine("|---|---|---|---|");
        return Print("first run of a new driver", [.. rounds.Select(round => round.First)])
            & Print("again, one layer of the manifest changed", [.. rounds.Select(round => round.Manifest)])
            & Print("again, the program's code changed", [.. rounds.Select(round => round.Code)]) ? 0 : 1;
    }

    // No round can use what another one left: its manifest is its own.
    private static (double First, double Manifest, double Code) Round(int round, bool cpuTime)
    {
        var program = CSharpCompilation.Create("App", [CSharpSyntaxTree.ParseText("class Program;", ParseOptions)]);
        var manifest = new ManifestText(round, changed: false);
        GeneratorDriver driver = CSharpGeneratorDriver.Create([new LayerLoaderGenerator().AsSourceGenerator()], [manifest], ParseOptions);
        var first = Milliseconds(() => driver = driver.RunGeneratorsAndUpdateCompilation(program, out _, out _), cpuTime);
        if (driver.GetRunResult().GeneratedTrees is not [var tree] || !tree.ToString().Contains($"class Layer{Layers - 1}", StringComparison.Ordinal))
        {
            throw new InvalidOperationException("The generator made no class.");
        }

        driver = driver.ReplaceAdditionalText(manifest, new ManifestText(round, changed: true));
        var again = Milliseconds(() => driver = driver.RunGeneratorsAndUpdateCompilation(program, out _, out _), cpuTime);
        var edited = program.AddSyntaxTrees(CSharpSyntaxTree.ParseText($"class Edited{round};", ParseOptions));
        return (first, again, Milliseconds(() => driver = driver.RunGeneratorsAndUpdateCompilation(edited, out _, out _), cpuTime));
    }

    private static double Milliseconds(Action action, bool cpuTime)
    {
        var start = Stopwatch.GetTimestamp();
        var computed = Environment.CpuUsage.TotalTime;
        action();
        return (cpuTime ? Environment.CpuUsage.TotalTime - computed : Stopwatch.GetElapsedTime(start)).TotalMilliseconds;
    }

    private static bool Print(string name, double[] times)
    {
        Array.Sort(times);
        var median = times[times.Length / 2];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {median:F1} ms | < {HoldMilliseconds} ms | {(median < HoldMilliseconds ? "holds" : "MISSES")} |"));
        return median < HoldMilliseconds;
    }

    // As the pipeline writes it.
    private sealed class ManifestText(int round, bool changed) : AdditionalText
    {
        private readonly SourceText _text = SourceText.From(JsonSerializer.Serialize(Describe(round, changed), ManifestJson.Default.Manifest), Encoding.UTF8);

        public override string Path => "/obj/Large.masquant.json";

        public override SourceText GetText(CancellationToken cancellationToken = default) => _text;
    }

    private static Manifest Describe(int round, bool changed) => new()
    {
        ToolVersion = "0.1.0",
        Name = "Large",
        Source = "Qwen2.5-VL-72B-Instruct",
        Quantized = true,
        Artifact = "Large.masquant.safetensors",
        ArtifactBytes = 40_000_000_000 + round,
        Model = new ManifestModel { Family = "Qwen25VL", Modalities = ["Text", "Vision"], HiddenSize = 8192, IntermediateSize = 29568, AttentionHeads = 64, KeyValueHeads = 8, VocabularySize = 152064, MaxPositions = 128000 },
        Tokenizer = new ManifestTokenizer { Tokens = 151665, Sha256 = new string('0', 64) },
        Scheme = "W4A8",
        Layers = [.. Enumerable.Range(0, Layers).Select(layer => new ManifestLayer { Index = layer, Linears = [.. Linears.Select(linear => Describe(linear, round + layer + (changed && layer == 40 ? 1 : 0)))] })],
    };

    private static ManifestLinear Describe((string Name, string Group, int Outputs, int Inputs) linear, int seed) => new()
    {
        Name = linear.Name,
        Group = linear.Group,
        Outputs = linear.Outputs,
        Inputs = linear.Inputs,
        Scheme = "W4A8",
        Bytes = (long)linear.Outputs * linear.Inputs / 2,
        Ranks = new SortedDictionary<string, int> { ["Vision"] = 16 },
        EffectiveRanks = new SortedDictionary<string, ManifestEffectiveRank> { ["Vision"] = new(1000.25, 500.5) },
        Sqnr = new SortedDictionary<string, ManifestSqnr> { ["Text"] = new(20 + (seed % 17), 20 + (seed % 17)), ["Vision"] = new(15, 25 + (seed % 13)) },
    };

    private static readonly (string Name, string Group, int Outputs, int Inputs)[] Linears =
    [
        ("self_attn.q_proj", "Qkv", 8192, 8192),
        ("self_attn.k_proj", "Qkv", 1024, 8192),
        ("self_attn.v_proj", "Qkv", 1024, 8192),
        ("self_attn.o_proj", "O", 8192, 8192),
        ("mlp.gate_proj", "GateUp", 29568, 8192),
        ("mlp.up_proj", "GateUp", 29568, 8192),
        ("mlp.down_proj", "Down", 8192, 29568),
    ];
}
