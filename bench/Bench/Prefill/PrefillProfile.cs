using System.Globalization;

namespace MASQuant.Bench.Prefill;

/// <summary>What the parts of a first token take: prompts of 256 and 2 048 tokens through decoder blocks of 3B's shape, a quarter of them a picture's, the vision tower for a picture of 1 024 tokens, the head.</summary>
internal static class PrefillProfile
{
    private const int Rounds = 5;

    // Tokens a second of a long prompt, of those of a short one.
    private const double Hold = 0.8;

    /// <summary>Prints tables; returns 0 when the long prompt's rate holds, otherwise 1.</summary>
    public static int Run()
    {
        var roof = Roof.Measure();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"A streaming read: {1e-9 * roof.BytesPerSecond:F1} GB/s; multiply-adds: {1e-9 * roof.FlopsPerSecond:F0} GFLOP/s."));
        int[] lengths = [256, 2048];
        var rates = new double[lengths.Length];
        foreach (var (index, tokens) in lengths.Index())
        {
            var times = new PartTimes();
            var decoder = new PrefillDecoder(tokens, times);
            var whole = new double[Rounds];
            for (var round = 0; round < Rounds; round++)
            {
                decoder.RunParts();
                whole[round] = decoder.RunWhole();
            }

            Array.Sort(whole);
            rates[index] = tokens / whole[Rounds / 2];
            times.Print($"{tokens} tokens, two blocks of the decoder ({1e3 * whole[Rounds / 2]:F1} ms together)", roof);
        }

        var tower = new PartTimes();
        var picture = new PrefillTower(tower);
        for (var round = 0; round < Rounds; round++)
        {
            picture.RunParts();
        }

        tower.Print("A picture of 1024 tokens, the whole vision tower", roof);
        var head = new PartTimes();
        PrefillDecoder.RunHead(head);
        head.Print("The head and the choice of a token", roof);

        var ratio = rates[1] / rates[0];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\n| ratio | measured | of | ratio | hold | |\n|---|---|---|---|---|---|\n| W4A8 blocks of 3B, {lengths[1]} tokens against {lengths[0]} | {rates[1] / PrefillDecoder.Layers * 2:F1} tokens/s | {rates[0] / PrefillDecoder.Layers * 2:F1} tokens/s | {ratio:F2} | ≥ {Hold} | {(ratio >= Hold ? "holds" : "MISSES")} |"));
        return ratio >= Hold ? 0 : 1;
    }
}
