using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Checks;

/// <summary>Low-rank patches stay within the rounding of their operands, whatever the mix of modalities.</summary>
internal static class PatchChecks
{
    // The modalities of the first tokens, of which the last holds on: one alone, the others' boundary at the edge of a tile, of a block, and all three within 8 tokens.
    private static readonly (string Scheme, int Tokens, int Inputs, string Modalities)[] Mixes =
    [
        ("W4A8", 1, 72, "V"),
        ("W4A8", 5, 512, "TVATV"),
        ("W4A8", 12, 4160, "AAAAAAAAVVVV"),
        ("W8A8", 21, 136, "TTTTTTTTTTTTTTTTVVVVA"),
        ("W4A8", 66, 256, new string('T', 64) + "VA"),
        ("W8A8", 130, 72, new string('V', 128) + "AT"),
        ("W4A4", 5, 512, "TVATV"),
        ("W4A4", 12, 136, "AAAAAAAAVVVV"),
        ("W4A4", 66, 72, new string('T', 64) + "VA"),
        ("W4A16", 7, 256, "VTAVTAV"),
        ("W4A16", 33, 1024, "A"),
    ];

    private static readonly (string Scheme, int Tokens, int Inputs, string Modalities)[] WideMixes =
        [("W4A8", 72, 256, new string('T', 63) + "VA"), ("W8A8", 66, 72, "VTA"), ("W4A8", 70, 136, "V"), ("W4A8", 258, 72, "TA")];

    /// <summary>Those that Hopper has kernels of its own for.</summary>
    public static IReadOnlyList<DeviceCheck> OfHopper { get; } = Each(WideMixes);

    public static IReadOnlyList<DeviceCheck> All { get; } = [.. Each(Mixes), .. OfHopper];

    private static DeviceCheck[] Each((string Scheme, int Tokens, int Inputs, string Modalities)[] mixes) => [.. mixes.Select(mix =>
        new DeviceCheck($"patches: {mix.Scheme}, {mix.Tokens} × 160 × {mix.Inputs}, {Short(mix.Modalities)}", device => Check(device, mix.Scheme, mix.Tokens, mix.Inputs, mix.Modalities)))];

    /// <summary>TTTV → 3T V.</summary>
    private static string Short(string letters)
    {
        var runs = new List<string>();
        for (var start = 0; start < letters.Length;)
        {
            var end = letters.AsSpan(start).IndexOfAnyExcept(letters[start]) is var next && next < 0 ? letters.Length : start + next;
            runs.Add(end - start == 1 ? letters[start..end] : $"{end - start}{letters[start]}");
            start = end;
        }

        return string.Join(' ', runs);
    }

    private static void Check(ICudaDevice device, string scheme, int tokens, int inputs, string modalities)
    {
        var problem = new LayerProblem(ProductChecks.Scheme(scheme), tokens, [32, 16, 112], inputs, Named(modalities), ranks: [11, 0, 30]);
        var prepared = problem.Prepare();
        using var layers = new DeviceLayers(device, problem);
        RoundingBound.Check(problem.Weights, prepared, problem.Expect(prepared), layers.Run(prepared));
    }

    private static Modality[] Named(string letters) => [.. letters.Select(letter => letter switch { 'V' => Modality.Vision, 'A' => Modality.Audio, _ => Modality.Text })];
}
