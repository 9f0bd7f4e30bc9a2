using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Tests.Audio;
using MASQuant.Engine.Tests.Layers;
using MASQuant.Engine.Tests.Vision;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Tests.VectorWidth;

/// <summary>Hashes of results that must not depend on the hardware; <see cref="VectorWidthTests"/> compares them between processes.</summary>
internal static class ResultHashes
{
    public static IReadOnlyDictionary<string, Func<string>> ByName { get; } = new SortedDictionary<string, Func<string>>(StringComparer.Ordinal)
    {
        ["attention"] = Attend,
        ["audio-tower"] = AudioTowerTests.Hash,
        ["elementary"] = Functions,
        ["layers"] = Layers,
        ["vision-tower"] = VisionTowerTests.Hash,
    };

    public static string Of(params ReadOnlySpan<float[]> results)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var result in results)
        {
            hash.AppendData(MemoryMarshal.AsBytes(result.AsSpan()));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Attend()
    {
        var (q, k, v) = (Values(96, 1), Values(96, 2), Values(96, 3));
        var (segments, causal, memory) = (new Matrix(300, 96), new Matrix(300, 96), new LayerMemory());
        SegmentAttention.Apply(q, k, v, 4, [0, 27, 300], segments);
        var attention = new DecoderAttention();
        attention.Begin(null!, new ReadOnlySpan<LayerMemory>(in memory));
        attention.Attend(new AttendStep(4, 2, 24, AttentionSpan.Causal), q, Values(48, 4), Values(48, 5), causal);
        return Of(segments.Data, causal.Data);

        static Matrix Values(int columns, int seed) => new(300, columns, Oracle.Random(300 * columns, seed));
    }

    private static string Functions()
    {
        var random = new RandomSequence(1);
        var results = new double[6 * 10_000];
        for (var i = 0; i < results.Length; i += 6)
        {
            var x = random.NextSigned() * (1 << (i % 30));
            var (sine, cosine) = Elementary.SinCos(x);
            var power = Elementary.Pow(Math.Abs(x), random.NextSigned());
            (results[i], results[i + 1], results[i + 2]) = (sine, cosine, power);
            (results[i + 3], results[i + 4], results[i + 5]) = (Elementary.Exp(x), Elementary.Log(Math.Abs(x)), Elementary.Log10(Math.Abs(x)));
        }

        return Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<double>(results)));
    }

    private static string Layers()
    {
        var (x, gain, bias) = (Oracle.Random(3001, 1, 20f), Oracle.Random(3001, 2), Oracle.Random(3001, 3));
        var (rms, layer, silu) = (new float[x.Length], new float[x.Length], new float[x.Length]);
        var (gelu, tanh, quick, softmax) = (x.ToArray(), x.ToArray(), x.ToArray(), x.ToArray());
        RmsNorm.Apply(x, gain, 1e-6f, rms);
        LayerNorm.Apply(x, gain, bias, 1e-5f, layer);
        Silu.Multiply(x, gain, silu);
        Gelu.Apply(gelu);
        Gelu.Apply(tanh, Activation.TanhGelu);
        Gelu.Apply(quick, Activation.QuickGelu);
        Softmax.Apply(softmax, 0.3f);
        return Of(rms, layer, silu, gelu, tanh, quick, softmax);
    }
}
