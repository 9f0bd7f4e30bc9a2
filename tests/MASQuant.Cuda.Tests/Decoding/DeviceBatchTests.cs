using System.Runtime.InteropServices;
using MASQuant.Configuration;
using MASQuant.Gemm.Cuda;
using MASQuant.Gemm.Cuda.Driver;
using MASQuant.Models;
using MASQuant.Models.Device;
using MASQuant.Ptx;
using MASQuant.Safetensors;

namespace MASQuant.Tests.Decoding;

/// <summary>A step of several sequences is a step of each: the same bits, whatever its neighbours hold.</summary>
public sealed class DeviceBatchTests
{
    // Caches that are empty, within a warp's keys, at and behind its end, all but full, and divided among more blocks; more than eight sequences take another product kernel than one.
    private static readonly int[] Cached = [37, 0, 254, 1, 32, 31, 100, 33, 5, 700];

    [Fact]
    public void SequencesDoNotSeeEachOther() => Check(new EmulatedDevice());

    [CudaFact]
    public void SequencesDoNotSeeEachOtherOnTheGpu()
    {
        using var device = CudaDevice.Open(0);
        Check(device);
    }

    [Fact]
    public void AGrownCacheKeepsEverySequence()
    {
        using var source = Checkpoint.Open(RepositoryFiles.VlTiny);
        var (device, config) = (new EmulatedDevice(), ModelConfigReader.Read(source).Text);
        using var cache = new DeviceKvCache(device, config, sequences: 2);
        cache.Reserve(3, 0);
        var row = config.KeyValueHeads * config.HeadSize;
        for (var sequence = 0; sequence < 2; sequence++)
        {
            device.Write(cache.Keys(0) + (sequence * cache.SequenceValues * sizeof(ushort)), Values(3 * row, sequence));
            device.Write(cache.Values(0) + (sequence * cache.SequenceValues * sizeof(ushort)), Values(3 * row, 10 + sequence));
        }

        cache.Length = 3;
        Assert.True(cache.Reserve(1000, 0));
        for (var sequence = 0; sequence < 2; sequence++)
        {
            var (keys, values) = (new byte[6 * row], new byte[6 * row]);
            device.Read(cache.Keys(0) + (sequence * cache.SequenceValues * sizeof(ushort)), keys);
            device.Read(cache.Values(0) + (sequence * cache.SequenceValues * sizeof(ushort)), values);
            Assert.Equal(Values(3 * row, sequence), keys);
            Assert.Equal(Values(3 * row, 10 + sequence), values);
        }
    }

    private static void Check(ICudaDevice device)
    {
        using var source = Checkpoint.Open(RepositoryFiles.VlTiny);
        var config = ModelConfigReader.Read(source).Text;
        using var decoder = DeviceDecoder.Read(device, new Lock(), source, config, TokenEmbedding.Of(source, config));
        var (logits, chosen) = Step(decoder, [.. Enumerable.Range(0, Cached.Length)], capacity: 1024);
        for (var sequence = 0; sequence < Cached.Length; sequence++)
        {
            var (alone, choice) = Step(decoder, [sequence], (Cached[sequence] / 256 * 256) + 256);
            Assert.Equal(alone, logits.AsSpan(sequence * config.VocabularySize, config.VocabularySize).ToArray());
            Assert.Equal(choice[0], chosen[sequence]);
            Assert.Equal(Array.IndexOf(alone, alone.Max()), (int)(choice[0] >> 32));
        }
    }

    /// <summary>One step of these sequences, whose tokens, angles and caches depend on nothing but their number.</summary>
    private static (float[] Logits, long[] Chosen) Step(DeviceDecoder decoder, int[] sequences, int capacity)
    {
        var (device, config, count) = (decoder.Device, decoder.Config, sequences.Length);
        using var workspace = new DeviceWorkspace(decoder);
        using var cache = new DeviceKvCache(device, config, count);
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
            words[(workspace.SourcesStart(count) / sizeof(int)) + i] = 100 + (7 * sequences[i]);
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
