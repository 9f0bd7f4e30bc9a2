using MASQuant.Quantization;

namespace MASQuant.Tasks;

/// <summary>Options as one line, <c>Epochs=2|Scheme=W4A8</c>, which MSBuild passes from project to project. (A semicolon would end a property.)</summary>
internal static class OptionText
{
    private const char Separator = '|';

    public static string Write(QuantizationOptions options) => string.Join(Separator, OptionTable.Write(options).Select(word => $"{word.Key}={word.Value}"));

    public static QuantizationOptions Read(string text)
        => OptionTable.Read(text.Split(Separator, StringSplitOptions.RemoveEmptyEntries)
            .Select(word => word.Split('=', 2))
            .ToDictionary(word => word[0], word => word[1]));
}
