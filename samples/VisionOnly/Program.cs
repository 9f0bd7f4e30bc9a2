using MASQuant;

namespace VisionOnly;

/// <summary>A Qwen2.5-VL checkpoint. Its weights are random, so what it says is noise; what it shows is the family's path from picture to text.</summary>
internal static class Program
{
    private static void Main()
    {
        using var model = VlTiny.Load();
        var prompt = new Prompt().Image(Path.Combine(AppContext.BaseDirectory, "media", "eval-ocr-000.png")).Text("Read the digits.");

        Console.WriteLine($"{VlTiny.Family}, {VlTiny.Scheme}, {VlTiny.LayerCount} layers of width {VlTiny.HiddenSize}");
        foreach (var piece in model.Generate(prompt, new GenerationOptions { MaxTokens = 16 }))
        {
            Console.Write(piece);
        }

        Console.WriteLine();
    }
}
