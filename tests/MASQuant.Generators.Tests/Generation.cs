using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace MASQuant.Generators.Tests;

/// <summary>Runs the generator in a consumer that compiles as C# 12 with nullable and every warning as an error.</summary>
internal sealed class Generation
{
    private static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.CSharp12, DocumentationMode.Diagnose);

    private static readonly ImmutableArray<MetadataReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(System.IO.Path.PathSeparator)
            .Where(path => System.IO.Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal)
                || System.IO.Path.GetFileName(path) is "MASQuant.Runtime.dll" or "MASQuant.Abstractions.dll" or "netstandard.dll") // what a package shows
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    private Generation(CSharpCompilation compilation, GeneratorDriver driver, AdditionalText[] manifests)
    {
        Manifests = manifests;
        Driver = driver.RunGeneratorsAndUpdateCompilation(compilation, out var output, out var diagnostics);
        Input = compilation;
        Output = output;
        Diagnostics = diagnostics;
    }

    public IReadOnlyList<AdditionalText> Manifests { get; }

    public CSharpCompilation Input { get; }

    public Compilation Output { get; }

    public GeneratorDriver Driver { get; }

    /// <summary>What the generator reported.</summary>
    public ImmutableArray<Diagnostic> Diagnostics { get; }

    /// <summary>What the compiler says of the consumer with the generated code.</summary>
    public IEnumerable<Diagnostic> CompilerDiagnostics => Output.GetDiagnostics().Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning);

    public string Source => Assert.Single(Driver.GetRunResult().GeneratedTrees).ToString();

    public static Generation Run(string consumer, params AdditionalText[] manifests) => RunIn("Consumer", consumer, manifests);

    public static Generation RunIn(string rootNamespace, string consumer, params AdditionalText[] manifests)
    {
        var compilation = CSharpCompilation.Create(
            "Consumer",
            [CSharpSyntaxTree.ParseText(consumer, ParseOptions, "Consumer.cs")],
            References,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, generalDiagnosticOption: ReportDiagnostic.Error));
        return new Generation(compilation, CSharpGeneratorDriver.Create(
            [new LayerLoaderGenerator().AsSourceGenerator()],
            manifests,
            ParseOptions,
            new Options(rootNamespace),
            new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true)), manifests);
    }

    /// <summary>Runs the same driver again, on another compilation.</summary>
    public GeneratorRunResult RunAgain(CSharpCompilation compilation) => Driver.RunGenerators(compilation).GetRunResult().Results.Single();

    private sealed class Options(string rootNamespace) : AnalyzerConfigOptionsProvider
    {
        public override AnalyzerConfigOptions GlobalOptions { get; } = new Global(rootNamespace);

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) => new Item((textFile as ManifestFile)?.Sampling);
    }

    private sealed class Item(string? sampling) : AnalyzerConfigOptions
    {
        public override bool TryGetValue(string key, [NotNullWhen(true)] out string? value)
        {
            value = key == "build_metadata.AdditionalFiles.MASQuantSampling" ? sampling : null;
            return value is not null;
        }
    }

    private sealed class Global(string rootNamespace) : AnalyzerConfigOptions
    {
        public override bool TryGetValue(string key, [NotNullWhen(true)] out string? value)
        {
            value = key == "build_property.RootNamespace" ? rootNamespace : null;
            return value is not null;
        }
    }
}
