using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using MASQuant.Generators;
using MASQuant.Generators.Tests;
using MASQuant.Tests;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace MASQuant.Documentation.Tests;

/// <summary>Compiles a snippet as the whole program of a new project named MyApp, which has README's model and our packages.</summary>
internal static partial class SnippetCompilation
{
    // What the SDKs import where ImplicitUsings is on, as dotnet new has it.
    private static readonly string[] Console = ["System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Net.Http", "System.Threading", "System.Threading.Tasks"];
    private static readonly string[] Web =
    [
        "System.Net.Http.Json", "Microsoft.AspNetCore.Builder", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Http", "Microsoft.AspNetCore.Routing",
        "Microsoft.Extensions.Configuration", "Microsoft.Extensions.DependencyInjection", "Microsoft.Extensions.Hosting", "Microsoft.Extensions.Logging",
    ];

    private static readonly string[] Packages = ["MASQuant.Abstractions", "MASQuant.AudioFormats", "MASQuant.Extensions.AI", "MASQuant.Runtime", "MASQuant.Server", "MASQuant.Skia", "MASQuant.TorchSharp"]; // what of ours a consumer's compiler sees
    private static readonly KeyValuePair<string, ReportDiagnostic>[] Unused = [new("CS0219", ReportDiagnostic.Suppress)]; // a snippet ends where it has shown a value
    private static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.Preview);

    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileNameWithoutExtension(path) is var name && (!name.StartsWith("MASQuant.", StringComparison.Ordinal) || Packages.Contains(name)))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    /// <summary>What the compiler has against the snippet, warnings too, by the page's lines.</summary>
    public static IReadOnlyList<string> Problems(MarkdownSnippet snippet)
    {
        var isWeb = (snippet.After + snippet.Code).Contains("WebApplication", StringComparison.Ordinal);
        var implicitUsings = string.Concat(Console.Concat(isWeb ? Web : []).Select(name => $"global using {name};\n"));
        var compilation = CSharpCompilation.Create(
            "MyApp",
            [CSharpSyntaxTree.ParseText(implicitUsings, ParseOptions), CSharpSyntaxTree.ParseText(Program(snippet), ParseOptions)],
            References,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable, specificDiagnosticOptions: Unused));
        CSharpGeneratorDriver
            .Create([new LayerLoaderGenerator().AsSourceGenerator()], [new ManifestFile("OmniTiny.masquant.json", SampleManifest.Json(SampleManifest.Create(layers: 4)))], ParseOptions, new Options())
            .RunGeneratorsAndUpdateCompilation(compilation, out var output, out var diagnostics);
        return [.. diagnostics.Concat(output.GetDiagnostics()).Where(problem => problem.Severity >= DiagnosticSeverity.Warning).Select(problem => problem.ToString())];
    }

    // Using directives come before what the page takes as written.
    private static string Program(MarkdownSnippet snippet)
    {
        var usings = UsingDirectives().Match(snippet.Code).Value;
        var hidden = UsingDirectives().Match(snippet.After.Replace("; ", ";\n", StringComparison.Ordinal)).Value;
        var place = snippet.Line + usings.Count(character => character == '\n');
        return $"""
            {hidden}
            #line {snippet.Line} "{snippet.Page}"
            {usings}
            #line hidden
            {snippet.After[hidden.Length..]}
            #line {place} "{snippet.Page}"
            {snippet.Code[usings.Length..]}
            """;
    }

    [GeneratedRegex(@"\A(using [\w.]+;[^\n]*\n)*")]
    private static partial Regex UsingDirectives();

    private sealed class Options : AnalyzerConfigOptionsProvider
    {
        public override AnalyzerConfigOptions GlobalOptions { get; } = new RootNamespace();

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) => GlobalOptions;
    }

    private sealed class RootNamespace : AnalyzerConfigOptions
    {
        public override bool TryGetValue(string key, [NotNullWhen(true)] out string? value)
        {
            value = key == "build_property.RootNamespace" ? "MyApp" : null;
            return value is not null;
        }
    }
}
