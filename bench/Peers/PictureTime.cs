using System.Diagnostics;
using System.Globalization;
using MASQuant.Engine.Vision;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Models.Qwen25;

namespace MASQuant.Peers;

/// <summary>What a picture costs until the first token: the tower in full precision, then the prompt. Ours alone; the peers' files carry no tower.</summary>
internal static class PictureTime
{
    private const int Side = 64; // patches: 896 pixels, 1 024 tokens
    private const int TextTokens = 32;
    private const int Rounds = 3; // The tower takes long.

    public static void Run(PeerShape shape, TextWriter csv)
    {
        var description = Qwen25VisionTower.Describe(shape.ToTower());
        using var tensors = new RandomTensors(description);
        var tower = new VisionTower(tensors, description);
        var random = new Random(3);
        var pixels = new Matrix(Side * Side, description.PatchEmbedding.Inputs);
        foreach (ref var value in pixels.Span)
        {
            value = random.NextSingle() - 0.5f;
        }

        using var decoder = new OwnPeer(shape, QuantizationScheme.W4A8);
        var picture = new ImagePatches(pixels, 1, Side, Side);
        var (seeing, reading, tokens) = (new List<double>(), new List<double>(), 0);
        for (var round = 0; round <= Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            tokens = tower.Forward(picture).Tokens.Rows;
            seeing.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            start = Stopwatch.GetTimestamp();
            decoder.Prefill(tokens + TextTokens);
            reading.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        var (tower1, prompt) = (Median(seeing), Median(reading));
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{decoder.Name}, a picture of {tokens} tokens and {TextTokens} of text: tower {tower1:F2} s + prompt {prompt:F2} s = {tower1 + prompt:F2} s to the first token"));
        csv.WriteLine(string.Create(CultureInfo.InvariantCulture, $"tower of {tokens} tokens s,{decoder.Name},{tower1:R}"));
        csv.WriteLine(string.Create(CultureInfo.InvariantCulture, $"prompt of a picture s,{decoder.Name},{prompt:R}"));
    }

    private static double Median(List<double> times) => times.Skip(1).Order().ElementAt(Rounds / 2);
}
