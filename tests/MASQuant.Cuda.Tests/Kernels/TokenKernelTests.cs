using MASQuant.Gemm.Cuda;
using MASQuant.Gemm.Cuda.Driver;
using MASQuant.Generation;
using MASQuant.Ptx;
using MASQuant.Safetensors;

namespace MASQuant.Tests.Kernels;

/// <summary>What enters and leaves a decoder: exact, whatever the table's order; the choice is the greedy sampler's.</summary>
public class TokenKernelTests
{
    // Rows and columns that fill panels, steps and blocks, and that do not.
    public static TheoryData<int, int, bool> Tables => new() { { 21, 36, false }, { 21, 36, true }, { 48, 1152, false }, { 33, 1152, true } };

    // Fewer logits than threads, one part, several, and as many as a model has.
    public static TheoryData<int> Vocabularies => [1, 300, 5000, 40_000];

    [Theory]
    [MemberData(nameof(Tables))]
    public void RowsAreThoseOfTheTableAndOfMedia(int rows, int columns, bool arranged) => CheckRows(new EmulatedDevice(), rows, columns, arranged);

    [Theory]
    [MemberData(nameof(Vocabularies))]
    public void TheChoiceIsTheGreedySamplers(int vocabulary) => CheckChoice(new EmulatedDevice(), vocabulary);

    [CudaFact]
    public void TheGpuDoesTheSame()
    {
        using var device = CudaDevice.Open(0);
        foreach (var table in Tables)
        {
            CheckRows(device, (int)table[0], (int)table[1], (bool)table[2]);
        }

        foreach (var vocabulary in Vocabularies)
        {
            CheckChoice(device, vocabulary);
        }
    }

    [Fact]
    public void ARowBehindTheTableIsReported()
    {
        var device = new EmulatedDevice();
        using var table = new DeviceArray<ushort>(device, new ushort[3 * 8]);
        using var sources = new DeviceArray<int>(device, [3]);
        using var hidden = new DeviceArray<float>(device, 8);
        var error = Assert.Throws<PtxException>(() => device.Launch(TokenKernels.Embed(sources.Pointer, table.Pointer, false, DevicePointer.Null, hidden.Pointer, 1, 8)));
        Assert.Equal(PtxFault.OutOfBounds, error.Fault);
    }

    [Fact]
    public void AChoiceWithoutItsBarrierIsReported()
    {
        var device = new EmulatedDevice(Mutation.Replace("choose_parts", @"bar\.sync\s+0;", ""));
        using var logits = new DeviceArray<float>(device, new float[5000]);
        using var parts = new DeviceArray<long>(device, TokenKernels.ChoiceParts(5000));
        var error = Assert.Throws<PtxException>(() => device.Launch(TokenKernels.ChooseParts(logits.Pointer, 5000, parts.Pointer, 1)));
        Assert.Contains(error.Fault, (PtxFault[])[PtxFault.Race, PtxFault.UninitializedShared]);
    }

    [Fact]
    public void NoFiniteLogitIsSeen()
    {
        foreach (var value in (float[])[float.NaN, float.NegativeInfinity, float.PositiveInfinity])
        {
            var (logit, _) = Choose(new EmulatedDevice(), [.. Enumerable.Repeat(value, 700)], 1)[0];
            Assert.False(float.IsFinite(logit));
        }
    }

    private static void CheckRows(ICudaDevice device, int rows, int columns, bool arranged)
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
        Assert.Equal(sources.SelectMany(source => source switch
        {
            TokenKernels.NoSource => new float[columns],
            < 0 => others.Skip((-1 - source) * columns).Take(columns),
            _ => values.Skip(source * columns).Take(columns).Select(bits => BitConverter.UInt32BitsToSingle((uint)bits << 16)),
        }), hidden.Read());
    }

    private static void CheckChoice(ICudaDevice device, int vocabulary)
    {
        // Few values, so that there are equals, zeros of both signs among them; NaN counts as nothing.
        var random = new Random(vocabulary);
        float[] pool = [-3, -2.5f, -0f, 0, float.NaN, float.NegativeInfinity, -1e30f];
        const int Rows = 3;
        var logits = Enumerable.Range(0, Rows * vocabulary).Select(i => i % vocabulary == vocabulary - 1 ? -0f : pool[random.Next(i / vocabulary == 1 ? 2 : pool.Length)]).ToArray();
        var sampler = new Sampler(new GenerationOptions());
        var chosen = Choose(device, logits, Rows);
        for (var row = 0; row < Rows; row++)
        {
            var expected = sampler.Next(logits.AsSpan(row * vocabulary, vocabulary));
            Assert.Equal((logits[(row * vocabulary) + expected], expected), chosen[row]);
        }
    }

    private static (float Logit, int Id)[] Choose(ICudaDevice device, float[] values, int rows)
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
