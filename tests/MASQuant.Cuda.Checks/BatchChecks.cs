using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Cuda.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Checks;

/// <summary>A step of several sequences is a step of each: the same bits, whatever its neighbours hold.</summary>
internal static class BatchChecks
{
    // Caches that are empty, within a warp's keys, at and behind its end, all but full, and divided among more blocks; more than eight sequences take another product kernel than one.
    private static readonly int[] Cached = [37, 0, 254, 1, 32, 31, 100, 33, 5, 700];

    public static IReadOnlyList<DeviceCheck> All { get; } = [.. new[] { QuantizationScheme.W4A8, QuantizationScheme.W4A4 }.Select(scheme => new DeviceCheck($"decoder: {scheme}, 10 sequences", device => Check(device, scheme))), new("decoder: BF16, 10 sequences", device => Check(device, null))];

    /// <summary>Compares a step of ten sequences with ten steps.</summary>
    public static void Compare(DeviceDecoder decoder)
    {
        var vocabulary = decoder.Config.VocabularySize;
        var (logits, chosen) = Step(decoder, [.. Enumerable.Range(0, Cached.Length)], capacity: 1024);
        for (var sequence = 0; sequence < Cached.Length; sequence++)
        {
            var (alone, choice) = Step(decoder, [sequence], (Cached[sequence] / 256 * 256) + 256);
            Require.That(alone.Distinct().Count() > vocabulary / 2, $"sequence {sequence} has {alone.Distinct().Count()} different logits");
            Require.Equal<float>(alone, logits.AsSpan(sequence * vocabulary, vocabulary), $"logits of sequence {sequence}");
            Require.That(choice[0] == chosen[sequence], $"sequence {sequence} chooses {chosen[sequence] >> 32}, alone {choice[0] >> 32}");
            Require.That(Array.IndexOf(alone, alone.Max()) == (int)(choice[0] >> 32), $"sequence {sequence} does not choose its largest logit");
        }
    }

    private static void Check(ICudaDevice device, QuantizationScheme? scheme)
    {
        using var decoder = new SmallDecoder(scheme, seed: 1).On(device);
        Compare(decoder);
    }

    /// <summary>One step of these sequences, whose tokens, angles and caches depend on nothing but their number.</summary>
    private static (float[] Logits, long[] Chosen) Step(DeviceDecoder decoder, int[] sequences, int capacity)
    {
        var (device, config, count) = (decoder.Device, decoder.Config, sequences.Length);
        using var workspace = new DeviceWorkspace(decoder);
        using var cache = new DeviceKvCache(device, decoder.Description, count);
        cache.Reserve(capacity, 0);
        var (row, parts) = (config.KeyValueHeads * config.HeadSize, DecoderKernels.DecodeParts(decoder.Heads, capacity, 16));
        workspace.ReserveTokens(count);
        workspace.ReserveRows(count);
        workspace.ReserveProducts(count);
        workspace.ReserveParts(parts, count);
        var (half, step) = (config.HeadSize / 2, new byte[workspace.SourcesStart(count) + (count * sizeof(int))]);
        var words = MemoryMarshal.Cast<byte, int>(step.AsSpan());
        var angles = MemoryMarshal.Cast<byte, float>(step.AsSpan(DeviceWorkspace.AnglesStart));
        for (var i = 0; i < count; i++)
        {
            var random = new Random(sequences[i]);
            words[(DeviceWorkspace.CachedStart / sizeof(int)) + i] = Cached[sequences[i]];
            words[(workspace.SourcesStart(count) / sizeof(int)) + i] = (100 + (7 * sequences[i])) % config.VocabularySize;
            for (var pair = 0; pair < half; pair++)
            {
                var (sine, cosine) = MathF.SinCos(random.NextSingle() * 6);
                (angles[(i * half) + pair], angles[((count + i) * half) + pair]) = (cosine, sine);
            }

            for (var layer = 0; layer < config.Layers; layer++)
            {
                var start = i * cache.SequenceValues * sizeof(ushort);
                device.Write(cache.Keys(layer) + start, Values(Cached[sequences[i]] * row, (100 * layer) + sequences[i]));
                device.Write(cache.Values(layer) + start, Values(Cached[sequences[i]] * row, 50 + (100 * layer) + sequences[i]));
            }
        }

        device.Write(workspace.Step, step);
        var forward = new DeviceForward(decoder, workspace, cache);
        forward.Embed(count);
        forward.Blocks(count, text: true, parts);
        forward.Take(count, 0);
        forward.Head(count);
        forward.Choose(count);
        var (logits, chosen) = (new float[count * config.VocabularySize], new long[count]);
        device.Read(workspace.Logits, MemoryMarshal.AsBytes(logits.AsSpan()));
        device.Read(workspace.Chosen, MemoryMarshal.AsBytes(chosen.AsSpan()));
        return (logits, chosen);
    }

    private static byte[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return MemoryMarshal.AsBytes<ushort>([.. Enumerable.Range(0, count).Select(_ => BFloat16.FromSingle((random.NextSingle() * 2) - 1))]).ToArray();
    }
}
