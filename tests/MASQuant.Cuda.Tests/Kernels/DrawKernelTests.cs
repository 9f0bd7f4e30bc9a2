using System.Runtime.InteropServices;
using MASQuant.Gemm.Cuda;
using MASQuant.Gemm.Cuda.Driver;
using MASQuant.Generation;
using MASQuant.Ptx;

namespace MASQuant.Tests.Kernels;

/// <summary>The token that chance draws on a device is the sampler's, always: same logits, same numbers, same token.</summary>
public class DrawKernelTests
{
    private const int Rows = 8;
    private static readonly double[] Temperatures = [0.7, 1e-3, 1, 100, 1e-300, 2];
    private static readonly double[] Portions = [1, 0.8, 0.5, 1e-6, 0.999999, 1 - 1e-16, 0.3];

    private static TokenDraw Tied => new(1ul << 63, 1ul << 62, 1, 1000);

    public static TheoryData<int> Barriers => [.. Enumerable.Range(0, 16)];

    // Fewer logits than a warp has lanes, than a block has threads, than a digit has values, and more; the last as many as a model has.
    public static TheoryData<int> Vocabularies => [1, 2, 31, 300, 1025, 4097, 20_000];

    [Theory]
    [MemberData(nameof(Vocabularies))]
    public void TheDrawIsTheSamplers(int vocabulary) => Check(new EmulatedDevice(), vocabulary, vocabulary > 1025 ? 2 : 6);

    [Fact]
    public void TheDrawFromAsManyAsAModelHasIsTheSamplers() => Check(new EmulatedDevice(), 152_064, 1, rows: 6);

    [CudaFact]
    public void TheGpuDrawsTheSame()
    {
        using var device = CudaDevice.Open(0);
        foreach (var vocabulary in Vocabularies)
        {
            Check(device, vocabulary, 100);
        }

        Check(device, 152_064, 20);
    }

    // k and p with more ties than are kept: every walk is taken.
    [Theory]
    [MemberData(nameof(Barriers))]
    public void ADrawWithoutOneOfItsBarriersIsReported(int occurrence)
    {
        var device = new EmulatedDevice(Mutation.Replace("draw", @"bar\.sync\s+0;", "", occurrence));
        var error = Assert.Throws<PtxException>(() => Draw(device, [.. Enumerable.Range(0, 2000).Select(id => id % 3f)], [Tied]));
        Assert.Contains(error.Fault, (PtxFault[])[PtxFault.Race, PtxFault.UninitializedShared]);
    }

    private static void Check(ICudaDevice device, int vocabulary, int trials, int rows = Rows)
    {
        var random = new Random(vocabulary);
        var sampler = new Sampler(new GenerationOptions());
        for (var trial = 0; trial < trials; trial++)
        {
            var logits = new float[rows * vocabulary];
            var draws = new TokenDraw[rows];
            for (var row = 0; row < rows; row++)
            {
                Fill(logits.AsSpan(row * vocabulary, vocabulary), random);
                draws[row] = new Sampler(Options(random, vocabulary)).NextDraw();
                draws[row] = random.Next(6) switch { 0 => draws[row] with { Random = 0 }, 1 => draws[row] with { Random = ulong.MaxValue }, _ => draws[row] };
            }

            var chosen = Draw(device, logits, draws);
            for (var row = 0; row < rows; row++)
            {
                Assert.Equal(sampler.Next(logits.AsSpan(row * vocabulary, vocabulary), draws[row]), chosen[row].Id);
            }
        }
    }

    private static GenerationOptions Options(Random random, int vocabulary)
    {
        int[] k = [0, 0, 1, 2, 20, vocabulary - 1, vocabulary, int.MaxValue];
        return new GenerationOptions
        {
            Temperature = random.Next(8) == 0 ? 0 : Temperatures[random.Next(Temperatures.Length)],
            TopK = k[random.Next(k.Length)],
            TopP = Portions[random.Next(Portions.Length)],
            Seed = (ulong)random.NextInt64(),
        };
    }

    // All different, a few values with many equals, all equal, or some that cannot be drawn; always one that can.
    private static void Fill(Span<float> logits, Random random)
    {
        float[] odd = [float.NaN, float.NegativeInfinity, 0f, -0f, -1e30f, 3];
        var kind = random.Next(5);
        foreach (ref var logit in logits)
        {
            logit = kind switch
            {
                0 => (float)(random.NextDouble() * 20) - 10,
                1 => random.Next(-4, 3),
                2 => -7.5f,
                3 => random.Next(4) == 0 ? odd[random.Next(odd.Length)] : (float)random.NextDouble(),
                _ => (float)(random.NextDouble() * 1e-3) - 80,
            };
        }

        logits[random.Next(logits.Length)] = 3;
    }

    private static (float Largest, int Id)[] Draw(ICudaDevice device, float[] values, TokenDraw[] draws)
    {
        var (rows, vocabulary) = (draws.Length, values.Length / draws.Length);
        using var logits = new DeviceArray<float>(device, values);
        using var parameters = new DeviceArray<byte>(device, MemoryMarshal.AsBytes(draws.AsSpan()).ToArray());
        using var parts = new DeviceArray<long>(device, rows * TokenKernels.ChoiceParts(vocabulary));
        using var chosen = new DeviceArray<long>(device, rows);
        device.Launch(TokenKernels.ChooseParts(logits.Pointer, vocabulary, parts.Pointer, rows));
        device.Launch(TokenKernels.Choose(parts.Pointer, vocabulary, chosen.Pointer, rows));
        device.Launch(TokenKernels.Draw(logits.Pointer, vocabulary, parameters.Pointer, chosen.Pointer, rows));
        return [.. chosen.Read().Select(choice => (BitConverter.Int32BitsToSingle((int)choice), (int)(choice >> 32)))];
    }
}
