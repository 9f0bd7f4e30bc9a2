using MASQuant.Quantization.Options;

namespace MASQuant.Tasks;

/// <summary>Options as one line, <c>Epochs=2|Scheme=W4A8</c>, which MSBuild passes from project to project. (A semicolon would end a property.)</summary>
internal static class OptionText
{
    private const char Separator = '|';

    public static string Write(QuantizationOptions options) => Write(OptionTable.Write(options));

    public static string Write(IEnumerable<KeyValuePair<string, string>> words) => string.Join(Separator, words.Select(word => $"{word.Key}={word.Value}"));

    public static QuantizationOptions Read(string text) => OptionTable.Read(Words(text));

    public static Dictionary<string, string> Words(string text)
        => text.Split(Separator, StringSplitOptions.RemoveEmptyEntries)
            .Select(word => word.Split('=', 2))
            .ToDictionary(word => word[0], word => word[1]);
}
