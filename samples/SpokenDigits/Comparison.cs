using System.Diagnostics;
using System.Globalization;
using MASQuant;
using MASQuant.Runtime;

namespace SpokenDigits;

/// <summary>Puts the answers of two models side by side.</summary>
internal static class Comparison
{
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
        model.GenerateBatch([prompt]);
        var clock = Stopwatch.StartNew();
        var text = string.Concat(model.Generate(prompt));
        return (text, model.CountTokens(text) / clock.Elapsed.TotalSeconds);
    }

    private static string Speed(double tokensPerSecond) => tokensPerSecond.ToString("F0", CultureInfo.InvariantCulture);

    private static void Write(string question, string exact, string exactSpeed, string quantized, string quantizedSpeed)
        => Console.WriteLine($"{question,-18} {exact,-30} {exactSpeed,9} {quantized,-30} {quantizedSpeed,9}");
}
