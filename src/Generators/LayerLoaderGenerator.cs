using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace MASQuant.Generators;

/// <summary>Generates one typed model class for every <c>*.masquant.json</c> among the additional files.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class LayerLoaderGenerator : IIncrementalGenerator
{
    /// <summary>How manifests' file names end.</summary>
    public const string ManifestSuffix = ".masquant.json";

    private const string SamplingMetadata = "build_metadata.AdditionalFiles.MASQuantSampling";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var manifests = context.AdditionalTextsProvider
            .Where(static file => file.Path.EndsWith(ManifestSuffix, StringComparison.OrdinalIgnoreCase))
            .Select(static (file, cancellationToken) => (File: file, Result: ManifestParser.Parse(file.Path, file.GetText(cancellationToken)?.ToString() ?? "")))
            .Combine(context.AnalyzerConfigOptionsProvider)
            .Select(static (parsed, _) => WithItem(parsed.Left.Result, parsed.Right.GetOptions(parsed.Left.File)))
            .WithTrackingName("Manifests");

        var rootNamespace = context.AnalyzerConfigOptionsProvider
            .Select(static (options, _) => options.GlobalOptions.TryGetValue("build_property.RootNamespace", out var name) ? name : "")
            .WithTrackingName("RootNamespace");

        var laterTwins = manifests.Collect()
            .Select(static (all, _) => new EquatableArray<string>(LaterTwins(all)))
            .WithTrackingName("LaterTwins");

        context.RegisterSourceOutput(manifests.Combine(rootNamespace).Combine(laterTwins), static (output, inputs)
            => Produce(output, inputs.Left.Left, inputs.Left.Right, inputs.Right));
    }

    // What a QuantizedModel item says of the class comes as metadata of its manifest.
    private static ManifestParseResult WithItem(ManifestParseResult manifest, AnalyzerConfigOptions item)
        => manifest.Model is { } model && item.TryGetValue(SamplingMetadata, out var sampling) && sampling == "Recommended"
            ? manifest with { Model = model with { RecommendedSampling = true } }
            : manifest;

    private static void Produce(SourceProductionContext output, ManifestParseResult manifest, string rootNamespace, EquatableArray<string> laterTwins)
    {
        if (manifest.Model is not { } model)
        {
            output.ReportDiagnostic(manifest.Problem!.ToDiagnostic(manifest.Path));
            return;
        }

        var name = ModelEmitter.ClassName(model.Name);
        if (laterTwins.Contains(manifest.Path))
        {
            output.ReportDiagnostic(new ManifestProblem(Diagnostics.DuplicateModel.Id, 0, 0, name).ToDiagnostic(manifest.Path));
            return;
        }

        output.AddSource(name + ".g.cs", SourceText.From(ModelEmitter.Emit(model, rootNamespace), Encoding.UTF8));
    }

    /// <summary>The manifests whose class an earlier one generates; file systems may ignore letter case, so names that differ in it alone count as the same.</summary>
    private static IEnumerable<string> LaterTwins(IEnumerable<ManifestParseResult> manifests)
        => manifests.Where(manifest => manifest.Model is not null)
            .GroupBy(manifest => ModelEmitter.ClassName(manifest.Model!.Name), StringComparer.OrdinalIgnoreCase)
            .SelectMany(twins => twins.Skip(1))
            .Select(twin => twin.Path);
}
