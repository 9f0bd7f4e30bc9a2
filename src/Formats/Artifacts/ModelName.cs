using System.Text;
using MASQuant.Diagnostics;
using MASQuant.Formats.Files;

namespace MASQuant.Formats.Artifacts;

/// <summary>Makes the C# identifier that names a model's class and files.</summary>
public static class ModelName
{
    /// <summary>The most bytes of a name, as UTF-8: what is appended to it (<c>.blocks-0000-0000.masquant.part</c> is the longest) makes file names yet.</summary>
    public const int MaxBytes = FileNames.MaxBytes - 38;

    private const string DigitPrefix = "Model";

    /// <summary>The identifier for a folder's name or a name given by hand: letters and digits, each word capitalized. <c>omni-tiny</c> → <c>OmniTiny</c>, <c>tiny-2.5-VL</c> → <c>Tiny25VL</c>, <c>3b</c> → <c>Model3b</c>.</summary>
    /// <param name="text">The name.</param>
    /// <param name="place">The file that it stands in, for messages; or null.</param>
    /// <exception cref="MASQuantException">MASQ0502: the name is too long for its files.</exception>
    public static string From(string text, string? place = null)
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

        var identifier = name.Length == 0 || char.IsDigit(name[0]) ? DigitPrefix + name : name.ToString();
        var bytes = Encoding.UTF8.GetByteCount(identifier);
        return bytes <= MaxBytes ? identifier : throw new MASQuantException(DiagnosticCodes.OptionNotAllowed, place,
            $"The model's name '{identifier[..32]}…' has {bytes} bytes; its files' names leave {MaxBytes} for it. Give a shorter Name (--name).");
    }
}
