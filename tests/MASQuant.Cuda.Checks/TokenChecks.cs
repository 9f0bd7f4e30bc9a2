using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Generation;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Checks;

/// <summary>What enters and leaves a decoder: exact, whatever the table's order; the choice is the greedy sampler's.</summary>
internal static class TokenChecks
{
    // Rows and columns that fill panels, steps and blocks, and that do not.
    private static readonly (int Rows, int Columns, bool Arranged)[] Tables = [(21, 36, false), (21, 36, true), (48, 1152, false), (33, 1152, true)];

    // Fewer logits than threads, one part, several, and as many as a model has.
    private static readonly int[] Vocabularies = [1, 300, 5000, 40_000];

    public static IReadOnlyList<DeviceCheck> All { get; } =
    [
        .. Tables.Select(table => new DeviceCheck($"embed: {table.Rows} × {table.Columns}{(table.Arranged ? ", in fragment order" : "")}", device => Rows(device, table.Rows, table.Columns, table.Arranged))),
        .. Vocabularies.Select(vocabulary => new DeviceCheck($"choose: 3 × {vocabulary}", device => Choice(device, vocabulary))),
    ];

    private static void Rows(ICudaDevice device, int rows, int columns, bool arranged)
    {
        var random = new Random(rows);
        var values = Enumerable.Range(0, rows * columns).Select(_ => BFloat16.FromSingle(random.NextSingle() - 0.5f)).ToArray();
        var others = Enumerable.Range(0, 2 * columns).Select(_ => random.NextSingle()).ToArray();
        int[] sources = [rows - 1, TokenKernels.Medium(1), 0, TokenKernels.NoSource, TokenKernels.Medium(0), rows / 2, 9];
        using var table = new DeviceArray<ushort>(device, values);
        using var fragments = new DeviceArray<ushort>(device, (int)(GemmKernels.CodeBytes(WeightFormat.BFloat16, (rows + 15) / 16 * 16, columns) / 2));
        device.Launch(ArrangeKernels.Of(table.Pointer, fragments.Pointer, rows, columns));
        using var media = new DeviceArray<float>(device, others);
        using var ids = new DeviceArray<int>(device, sources);
        using var hidden = new DeviceArray<float>(device, sources.Length * columns);
        device.Launch(TokenKernels.Embed(ids.Pointer, arranged ? fragments.Pointer : table.Pointer, arranged, media.Pointer, hidden.Pointer, sources.Length, columns));
        var embedded = hidden.Read();
        device.Launch(TokenKernels.AddMedia(ids.Pointer, media.Pointer, hidden.Pointer, sources.Length, columns));
        Require.EqualEach(embedded.Select((v, i) => sources[i / columns] is < 0 and not TokenKernels.NoSource ? v + v : v), hidden.Read(), "rows with media once more");
        Require.EqualEach(sources.SelectMany(source => source switch
        {
            TokenKernels.NoSource => new float[columns],
            < 0 => others.Skip((-1 - source) * columns).Take(columns),
            _ => values.Skip(source * columns).Take(columns).Select(bits => BitConverter.UInt32BitsToSingle((uint)bits << 16)),
        }), embedded, "rows");
    }

    private static void Choice(ICudaDevice device, int vocabulary)
    {
        // Few values, so that there are equals, zeros of both signs among them; NaN counts as nothing.
        var random = new Random(vocabulary);
        float[] pool = [-3, -2.5f, -0f, 0, float.NaN, float.NegativeInfinity, -1e30f];
        const int Count = 3;
        var logits = Enumerable.Range(0, Count * vocabulary).Select(i => i % vocabulary == vocabulary - 1 ? -0f : pool[random.Next(i / vocabulary == 1 ? 2 : pool.Length)]).ToArray();
        var sampler = new Sampler(new GenerationOptions());
        var chosen = Choose(device, logits, Count);
        for (var row = 0; row < Count; row++)
        {
            var expected = sampler.Next(logits.AsSpan(row * vocabulary, vocabulary));
            var bits = BitConverter.SingleToInt32Bits(logits[(row * vocabulary) + expected]); // of zeros, too
            Require.That((BitConverter.SingleToInt32Bits(chosen[row].Logit), chosen[row].Id) == (bits, expected), $"row {row}: {chosen[row]} is chosen instead of {expected}");
        }
    }

    public static (float Logit, int Id)[] Choose(ICudaDevice device, float[] values, int rows)
    {
        var vocabulary = values.Length / rows;
        using var logits = new DeviceArray<float>(device, values);
        using var parts = new DeviceArray<long>(device, rows * TokenKernels.ChoiceParts(vocabulary));
        using var chosen = new DeviceArray<long>(device, rows);
        device.Launch(TokenKernels.ChooseParts(logits.Pointer, vocabulary, parts.Pointer, rows));
        device.Launch(TokenKernels.Choose(parts.Pointer, vocabulary, chosen.Pointer, rows));
        return [.. chosen.Read().Select(choice => (BitConverter.Int32BitsToSingle((int)choice), (int)(choice >> 32)))];
    }
}
