using MASQuant.Formats.Artifacts;
using MASQuant.Tests;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace MASQuant.Generators.Tests;

public class LayerLoaderGeneratorTests
{
    private const string Consumer = """
        namespace Consumer;

        internal static class Use
        {
            public const int Width = OmniTiny.Layer1.Mlp.DownProj.Inputs + OmniTiny.HiddenSize + OmniTiny.Layer0.SelfAttn.QProj.RankAudio;

            public static MASQuant.Runtime.LayerLoader Down => OmniTiny.Layers[1].Mlp.DownProj;
        }
        """;

    [Fact]
    public void A_manifest_becomes_a_class()
        => Snapshot.Verify(Generation.Run("", Manifest(SampleManifest.Create(layers: 1))).Source);

    [Fact]
    public void A_plan_becomes_a_class()
    {
        var source = Generation.Run("", Manifest(SampleManifest.Create(quantized: false))).Source;
        Assert.Contains("to be quantized to W4A8 by the next build", source);
        Assert.DoesNotContain("SQNR", source);
    }

    [Fact]
    public void Every_layer_shows_its_own_scheme_and_ranks()
    {
        var manifest = SampleManifest.Create();
        var mixed = manifest with
        {
            Layers = [manifest.Layers[0], manifest.Layers[1] with { Linears = [.. manifest.Layers[1].Linears.Select(linear => linear with { Scheme = "W8A8", Ranks = new SortedDictionary<string, int> { ["Vision"] = 4 } })] }],
        };
        var generation = Generation.Run("""
            namespace Consumer;

            internal static class Use
            {
                public const string Schemes = OmniTiny.Layer0.Mlp.DownProj.Scheme + OmniTiny.Layer1.Mlp.DownProj.Scheme;
                public const int Rank = OmniTiny.Layer1.Mlp.DownProj.RankVision;
            }
            """, Manifest(mixed));
        Assert.Empty(generation.CompilerDiagnostics);
        Assert.Equal(manifest.Layers[0].Linears.Count, generation.Source.Split("new global::MASQuant.QuantizationScheme(8, 8)").Length - 1);
        Assert.Equal(manifest.Layers[0].Linears.Count, generation.Source.Split("new global::MASQuant.QuantizationScheme(4, 8)").Length - 1);
        Assert.Contains("down_proj of layer 1: [256, 768], W8A8", generation.Source);
    }

    [Fact]
    public void The_class_compiles_in_a_strict_consumer()
    {
        var generation = Generation.Run(Consumer, Manifest(SampleManifest.Create()));
        Assert.Empty(generation.Diagnostics);
        Assert.Empty(generation.CompilerDiagnostics);
    }

    [Theory]
    [InlineData("class")]
    [InlineData("record")]
    [InlineData("Layers")]
    [InlineData("Layer0")]
    [InlineData("Generate")]
    [InlineData("3B")]
    [InlineData("a b-c.d")]
    [InlineData("模型")]
    [InlineData("\"); }\n//")]
    [InlineData("")]
    public void Any_name_becomes_a_class(string name)
    {
        var generation = Generation.Run("", Manifest(SampleManifest.Create(name) with { Artifact = "Any.masquant.safetensors" })); // not every name is a file's
        Assert.Empty(generation.Diagnostics);
        Assert.Empty(generation.CompilerDiagnostics);
    }

    [Theory]
    [InlineData("", "OmniTiny")]
    [InlineData("A.class.B", "A.@class.B.OmniTiny")]
    public void Any_root_namespace_compiles(string rootNamespace, string type)
    {
        var generation = Generation.RunIn(rootNamespace, $"class Use {{ public const int Width = global::{type}.HiddenSize; }}", Manifest(SampleManifest.Create()));
        Assert.Empty(generation.CompilerDiagnostics);
    }

    [Theory]
    [InlineData("</summary>*/ \u2028 \n#error")]
    [InlineData("a < b && \"c\"")]
    public void Text_of_a_manifest_cannot_leave_its_comment_or_literal(string text)
    {
        var generation = Generation.Run("", Manifest(SampleManifest.Create() with { Source = text, Artifact = text }));
        Assert.Empty(generation.CompilerDiagnostics);
    }

    [Theory]
    [InlineData("Recommended", true)]
    [InlineData("Greedy", false)]
    [InlineData(null, false)]
    public void An_item_may_recommend_sampling(string? sampling, bool recommended)
    {
        var generation = Generation.Run(Consumer, new ManifestFile("/obj/OmniTiny.masquant.json", SampleManifest.Json(SampleManifest.Create())) { Sampling = sampling });
        Assert.Empty(generation.CompilerDiagnostics);
        Assert.Equal(recommended, generation.Source.Contains("Sampling = options?.Sampling ?? global::MASQuant.Sampling.Recommended", StringComparison.Ordinal));
        Assert.Equal(recommended ? 2 : 0, generation.Source.Split("Sampled(options))").Length - 1); // both ways to load
    }

    [Fact]
    public void Two_models_become_two_classes()
    {
        var generation = Generation.Run("", Manifest(SampleManifest.Create("A")), Manifest(SampleManifest.Create("B")));
        Assert.Equal(2, generation.Driver.GetRunResult().GeneratedTrees.Length);
        Assert.Empty(generation.CompilerDiagnostics);
    }

    [Fact]
    public void The_second_of_two_models_of_one_name_is_an_error()
    {
        var generation = Generation.Run("", new ManifestFile("/a.masquant.json", SampleManifest.Json(SampleManifest.Create("A"))), new ManifestFile("/b.masquant.json", SampleManifest.Json(SampleManifest.Create("a"))));
        var diagnostic = Assert.Single(generation.Diagnostics);
        Assert.Equal(("MASQ0712", "/b.masquant.json"), (diagnostic.Id, diagnostic.Location.GetLineSpan().Path));
        Assert.Single(generation.Driver.GetRunResult().GeneratedTrees);
    }

    [Fact]
    public void Other_json_files_are_left_alone()
    {
        var generation = Generation.Run("", new ManifestFile("/appsettings.json", "{"));
        Assert.Empty(generation.Diagnostics);
        Assert.Empty(generation.Driver.GetRunResult().GeneratedTrees);
    }

    [Fact]
    public void Nothing_runs_again_when_no_manifest_changed()
    {
        var first = Generation.Run(Consumer, Manifest(SampleManifest.Create()));
        var edited = first.Input.AddSyntaxTrees(CSharpSyntaxTree.ParseText("class Other;", (CSharpParseOptions)first.Input.SyntaxTrees[0].Options));

        AssertCached(first.RunAgain(first.Input.Clone()));
        AssertCached(first.RunAgain(edited));
    }

    [Fact]
    public void A_changed_manifest_that_generates_the_same_stops_at_the_parser()
    {
        var manifest = SampleManifest.Create();
        var first = Generation.Run("", Manifest(manifest));
        var driver = first.Driver.ReplaceAdditionalText(first.Manifests[0], Manifest(manifest with { ToolVersion = "9.9.9" }));
        var steps = driver.RunGenerators(first.Input).GetRunResult().Results.Single().TrackedOutputSteps;
        Assert.All(Reasons(steps), reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
    }

    [Fact]
    public void Eighty_layers_compile()
    {
        var generation = Generation.Run("", Manifest(SampleManifest.Create(layers: 80)));
        Assert.Empty(generation.CompilerDiagnostics);
        Assert.Contains("public static class Layer79", generation.Source);
    }

    /// <summary>Each layer adds the same number of nodes: a class of its own, and an entry of the table.</summary>
    [Fact]
    public void Code_grows_with_the_layers_and_no_faster()
    {
        int[] nodes = [.. new[] { 20, 40, 80 }.Select(layers => Generation.Run("", Manifest(SampleManifest.Create(layers: layers))).Driver.GetRunResult().GeneratedTrees.Single().GetRoot().DescendantNodes().Count())];
        Assert.Equal(2 * (nodes[1] - nodes[0]), nodes[2] - nodes[1]);
    }

    private static ManifestFile Manifest(Manifest manifest) => new($"/obj/{manifest.Name}.masquant.json", SampleManifest.Json(manifest));

    private static void AssertCached(GeneratorRunResult result)
    {
        Assert.NotEmpty(result.TrackedSteps["Manifests"]);
        Assert.All(Reasons(result.TrackedSteps.Concat(result.TrackedOutputSteps).Where(step => step.Key is not "Compilation")),
            reason => Assert.True(reason is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged, reason.ToString()));
    }

    private static IEnumerable<IncrementalStepRunReason> Reasons(IEnumerable<KeyValuePair<string, System.Collections.Immutable.ImmutableArray<IncrementalGeneratorRunStep>>> steps)
        => steps.SelectMany(step => step.Value).SelectMany(run => run.Outputs).Select(output => output.Reason);
}
