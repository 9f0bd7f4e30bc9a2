using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Tests.Towers;

/// <summary>The vision tower in FP64, patch by patch in the order in which patches arrive: windows are told apart by their place in the grid.</summary>
internal static class ReferenceVisionTower
{
    public static double[][] Forward(ITensorSource source, VisionConfig config, ImagePatches image, bool rounds)
    {
        var reference = new Reference(source, rounds);
        var (merge, places) = (config.SpatialMergeSize, Places(image, config.SpatialMergeSize));
        var window = config.WindowSize!.Value / config.PatchSize;
        int[] frames = [.. places.Select(place => place.Frame)], windows = [.. places.Select(place => (place.Frame * 10000) + (place.Row / window * 100) + (place.Column / window))];
        var x = reference.Linear("visual.patch_embed.proj", Reference.Rows(image.Pixels), config.HiddenSize, bias: false);
        for (var index = 0; index < config.Depth; index++)
        {
            var name = $"visual.blocks.{index}.";
            x = Block(reference, source, config, name, x, places, config.FullAttentionBlocks.Contains(index) ? frames : windows);
        }

        var merged = reference.RmsNorm("visual.merger.ln_q.weight", x).Chunk(merge * merge).Select(rows => rows.SelectMany(row => row).ToArray()).ToArray();
        var inner = Reference.Map(reference.Linear("visual.merger.mlp.0", merged, merged[0].Length), Reference.Gelu);
        return reference.Linear("visual.merger.mlp.2", inner, config.OutHiddenSize);
    }

    private static double[][] Block(Reference reference, ITensorSource source, VisionConfig config, string name, double[][] x, (int Frame, int Row, int Column)[] places, int[] segments)
    {
        var width = config.HiddenSize;
        var normed = reference.RmsNorm(name + "norm1.weight", x);
        double[][] Part(int part, string letter) => source.TryGet(name + "attn.qkv.weight", out _)
            ? [.. reference.Linear(name + "attn.qkv", normed, 3 * width).Select(row => row[(part * width)..((part + 1) * width)])]
            : reference.Linear(name + "attn." + letter, normed, width);
        var attended = reference.Attend(Turn(Part(0, "q"), places, config.Heads), Turn(Part(1, "k"), places, config.Heads), Part(2, "v"), config.Heads, segments);
        x = Reference.Add(x, reference.Linear(name + "attn.proj", attended, width));
        normed = reference.RmsNorm(name + "norm2.weight", x);
        var (gate, up) = (reference.Linear(name + "mlp.gate_proj", normed, config.IntermediateSize), reference.Linear(name + "mlp.up_proj", normed, config.IntermediateSize));
        double[][] gated = [.. gate.Zip(up, (g, u) => g.Zip(u, (a, b) => Reference.Silu(a) * b).ToArray())];
        return Reference.Add(x, reference.Linear(name + "mlp.down_proj", gated, width));
    }

    // Of a head's d/2 pairs (i, i + d/2) the first half turns with the row, the second with the column, by 10000^(−4i/d) a patch.
    internal static double[][] Turn(double[][] x, (int Frame, int Row, int Column)[] places, int heads) => [.. x.Select((row, t) =>
    {
        var (size, result) = (row.Length / heads, (double[])row.Clone());
        for (var i = 0; i < heads * size / 2; i++)
        {
            var (head, pair) = (i / (size / 2), i % (size / 2));
            var (low, high) = ((head * size) + pair, (head * size) + pair + (size / 2));
            var angle = (pair < size / 4 ? places[t].Row : places[t].Column) * Math.Pow(10000, -4.0 * (pair % (size / 4)) / size);
            result[low] = (row[low] * Math.Cos(angle)) - (row[high] * Math.Sin(angle));
            result[high] = (row[high] * Math.Cos(angle)) + (row[low] * Math.Sin(angle));
        }

        return result;
    })];

    // Patches arrive merged block by merged block, row by row.
    internal static (int Frame, int Row, int Column)[] Places(ImagePatches image, int merge)
        => [.. from frame in Enumerable.Range(0, image.GridT)
               from blockRow in Enumerable.Range(0, image.GridH / merge)
               from blockColumn in Enumerable.Range(0, image.GridW / merge)
               from row in Enumerable.Range(0, merge)
               from column in Enumerable.Range(0, merge)
               select (frame, (blockRow * merge) + row, (blockColumn * merge) + column)];
}
