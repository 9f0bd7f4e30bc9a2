using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Driver;
using MASQuant.Cuda.Models;
using MASQuant.Engine.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Safetensors;
using MASQuant.Ptx;
using MASQuant.Tests;

namespace MASQuant.Cuda.Tests.Decoding;

/// <summary>A step of several sequences is a step of each: the same bits, whatever its neighbours hold.</summary>
[Trait("Lane", "slow")]
public sealed class DeviceBatchTests
{
    public static TheoryData<string> Checks => [.. BatchChecks.All.Select(check => check.Name)];

    [Theory]
    [MemberData(nameof(Checks))]
    public void Sequences_of_small_decoders_do_not_see_each_other(string check) => DeviceChecks.Run(check, new EmulatedDevice());

    [Fact]
    public void Sequences_of_bytes_in_place_of_nibbles_do_not_see_each_other()
        => DeviceChecks.Run(BatchChecks.All.Single(check => check.Name.Contains("W4A4", StringComparison.Ordinal)).Name, new EmulatedDevice { ComputeCapability = 90 });

    [Fact]
    public void Sequences_do_not_see_each_other() => Check(new EmulatedDevice());

    [CudaFact]
    [Trait("Lane", "gpu")]
    public void Sequences_do_not_see_each_other_on_the_GPU()
    {
        using var device = CudaDevice.Open(0);
        Check(device);
    }

    [Fact]
    public void A_grown_cache_keeps_every_sequence()
    {
        using var source = Checkpoint.Open(RepositoryFiles.VlTiny);
        var (device, decoder) = (new EmulatedDevice(), ModelConfigReader.Read(source).Decoder());
        var config = decoder.Config;
        using var cache = new DeviceKvCache(device, decoder, sequences: 2);
        cache.Reserve(3, 0);
        var row = config.KeyValueHeads * config.HeadSize;
        for (var sequence = 0; sequence < 2; sequence++)
        {
            device.Write(cache.Keys(0) + (sequence * cache.SequenceValues * sizeof(ushort)), Values(3 * row, sequence));
            device.Write(cache.Values(0) + (sequence * cache.SequenceValues * sizeof(ushort)), Values(3 * row, 10 + sequence));
        }

        cache.Length = 3;
        var before = cache.Generation;
        cache.Reserve(1000, 0);
        Assert.NotEqual(before, cache.Generation);
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
        var description = ModelConfigReader.Read(source).Decoder();
        using var decoder = DeviceDecoder.Read(device, new Lock(), source, description, TokenEmbedding.Of(source, description));
        BatchChecks.Compare(decoder);
    }

    private static byte[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return MemoryMarshal.AsBytes<ushort>([.. Enumerable.Range(0, count).Select(_ => BFloat16.FromSingle((random.NextSingle() * 2) - 1))]).ToArray();
    }
}
