using System.Diagnostics;
using System.Globalization;
using MASQuant;
using MASQuant.Runtime;

namespace SpokenDigits;

/// <summary>Puts the answers of two models side by side.</summary>
internal static class Comparison
{
    private const string Row = "{0,-18} {1,-30} {2,9} {3,-30} {4,9}";

    public static void PrintHeader() => Write("", "full precision", "tokens/s", "quantized", "tokens/s");

    public static void Print(string question, Prompt prompt, MultimodalModel exact, MultimodalModel quantized)
    {
        var (exactAnswer, exactSpeed) = Answer(exact, prompt);
        var (quantizedAnswer, quantizedSpeed) = Answer(quantized, prompt);
        Write(question, exactAnswer, Speed(exactSpeed), quantizedAnswer, Speed(quantizedSpeed));
    }

    // The first answer warms the code up; the second is timed, from the prompt to the last token.
    private static (string Text, double TokensPerSecond) Answer(MultimodalModel model, Prompt prompt)
    {
        var text = string.Concat(model.Generate(prompt));
        var clock = Stopwatch.StartNew();
        var tokens = model.GenerateTokens(model.Prepare(prompt)).Count();
        return (text, tokens / clock.Elapsed.TotalSeconds);
    }

    private static string Speed(double tokensPerSecond) => tokensPerSecond.ToString("F0", CultureInfo.InvariantCulture);

    private static void Write(params object[] cells) => Console.WriteLine(string.Format(CultureInfo.InvariantCulture, Row, cells).TrimEnd());
}
