using System.Text;

namespace MASQuant.Formats.Artifacts;

/// <summary>Makes the C# identifier that names a model's class and files.</summary>
public static class ModelName
{
    private const string DigitPrefix = "Model";

    /// <summary>The identifier for a folder's name or a name given by hand: letters and digits, each word capitalized. <c>omni-tiny</c> → <c>OmniTiny</c>, <c>tiny-2.5-VL</c> → <c>Tiny25VL</c>, <c>3b</c> → <c>Model3b</c>.</summary>
    public static string From(string text)
    {
        var name = new StringBuilder();
        var wordStarts = true;
        foreach (var letter in text)
        {
            var part = char.IsLetterOrDigit(letter) || letter == '_';
            if (part)
            {
                name.Append(wordStarts ? char.ToUpperInvariant(letter) : letter);
            }

            wordStarts = !part;
        }

        return name.Length == 0 || char.IsDigit(name[0]) ? DigitPrefix + name : name.ToString();
    }
}
