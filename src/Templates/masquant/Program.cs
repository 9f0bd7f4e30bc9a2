using MASQuant;
using MultimodalApp;

// dotnet run                                   reads the digits in digits.png
// dotnet run -- picture.png "What is this?"    asks about any picture
var picture = args.Length > 0 ? args[0] : Path.Combine(AppContext.BaseDirectory, "digits.png");
var question = args.Length > 1 ? args[1] : "Read the digits.";

using var model = Assistant.Load();
var prompt = new Prompt().Image(picture).Text(question);
foreach (var piece in model.Generate(prompt))
{
    Console.Write(piece);
}

Console.WriteLine();
