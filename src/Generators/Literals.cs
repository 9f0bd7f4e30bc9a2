using Microsoft.CodeAnalysis.CSharp;

namespace MASQuant.Generators;

/// <summary>C# literals.</summary>
internal static class Literals
{
    public static string Text(string value) => SymbolDisplay.FormatLiteral(value, quote: true);

    /// <summary><c>W4A8</c> as an expression; a malformed name is the manifest's fault and was refused while parsing.</summary>
    public static string Scheme(string value)
    {
        var middle = value.IndexOf('A');
        return $"new global::MASQuant.QuantizationScheme({value.Substring(1, middle - 1)}, {value.Substring(middle + 1)})";
    }
}
