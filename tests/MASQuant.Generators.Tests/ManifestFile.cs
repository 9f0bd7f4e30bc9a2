using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace MASQuant.Generators.Tests;

/// <summary>A manifest among the additional files.</summary>
internal sealed class ManifestFile(string path, string text) : AdditionalText
{
    /// <summary>The item's metadata.</summary>
    public string? Sampling { get; init; }

    public override string Path { get; } = path;

    public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text, Encoding.UTF8);
}
