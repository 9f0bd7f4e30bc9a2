using System.Linq;
using Microsoft.CodeAnalysis;

namespace MASQuant.Generators;

/// <summary>What the generator reports. <c>docs/diagnostics</c> has a page for each.</summary>
internal static class Diagnostics
{
    public static readonly DiagnosticDescriptor MalformedManifest = Create(
        "MASQ0710", "The manifest is malformed", "The manifest cannot be read: {0}. Rebuild the model, or remove the file from AdditionalFiles.");

    public static readonly DiagnosticDescriptor OtherFormatVersion = Create(
        "MASQ0711", "The manifest has another format version", $"The manifest has format version {{0}}; this generator reads version {ManifestParser.FormatVersion}. Quantize the model again with the same version of MASQuant.");

    public static readonly DiagnosticDescriptor DuplicateModel = Create(
        "MASQ0712", "Two models share a name", "Another manifest already generates the class '{0}'. Give one of the models another Name.");

    public static DiagnosticDescriptor ById(string id)
        => new[] { MalformedManifest, OtherFormatVersion, DuplicateModel }.Single(descriptor => descriptor.Id == id);

    private static DiagnosticDescriptor Create(string id, string title, string message)
        => new(id, title, message, "MASQuant", DiagnosticSeverity.Error, isEnabledByDefault: true, helpLinkUri: $"https://github.com/masquant/masquant/blob/main/docs/diagnostics/{id}.md");
}
