using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace MASQuant.Generators;

/// <summary>A spec, or the reason why there is none.</summary>
internal sealed record ManifestParseResult(string Path, ModelSpec? Model, ManifestProblem? Problem);

/// <summary>A diagnostic as plain data; <see cref="Diagnostic"/> would hold on to the compilation.</summary>
/// <param name="Id">One of <see cref="Diagnostics"/>.</param>
/// <param name="Line">From 0.</param>
/// <param name="Column">From 0.</param>
/// <param name="Detail">What is wrong.</param>
internal sealed record ManifestProblem(string Id, int Line, int Column, string Detail)
{
    public static ManifestProblem At(DiagnosticDescriptor descriptor, string text, int position, string detail)
    {
        var place = SourceText.From(text).Lines.GetLinePosition(position);
        return new ManifestProblem(descriptor.Id, place.Line, place.Character, detail);
    }

    public Diagnostic ToDiagnostic(string path)
    {
        var place = new LinePosition(Line, Column);
        return Diagnostic.Create(Diagnostics.ById(Id), Location.Create(path, default, new LinePositionSpan(place, place)), VisibleText.Of(Detail));
    }
}
