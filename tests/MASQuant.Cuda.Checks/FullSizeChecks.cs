using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Checks;

/// <summary>Products and attention in the shapes that are timed: too large to be compared whole, so some tokens are. What overflows, or is not reached by a grid, shows here.</summary>
public static class FullSizeChecks
{
    public static IReadOnlyList<DeviceCheck> Of(FullSizes sizes) =>
    [
        .. from shape in sizes.Models.SelectMany(model => model.Linears)
           from format in RandomWeights.Formats
           select new DeviceCheck($"full size: {format.Name}, {shape.Name}", device => Product(device, sizes, shape, format.Scheme)),
        .. from model in sizes.Models
           from tokens in (int[])[sizes.Prompt, 1]
           select new DeviceCheck($"full size: attention, {model.Name}, {(tokens == 1 ? $"1 after {sizes.Prompt}" : tokens)}", device => Attention(device, sizes, model, tokens)),
    ];

    private static void Attention(ICudaDevice device, FullSizes sizes, ModelShape model, int tokens)
    {
        var heads = new HeadShape(model.Config.AttentionHeads, model.Config.KeyValueHeads, model.Config.HeadSize);
        var cached = tokens == 1 ? sizes.Prompt : 0;
        AttentionChecks.Check(device, heads, tokens, cached, sizes.Prompt + sizes.Room, device.Multiprocessors, [.. ((int[])[0, tokens / 3, tokens - 2, tokens - 1]).Where(t => t >= 0).Distinct()]);
    }

    // Half of the tokens are vision.
    private static void Product(ICudaDevice device, FullSizes sizes, LinearShape shape, QuantizationScheme? scheme)
    {
        var weights = scheme is { } quantized ? RandomWeights.Quantized(quantized, shape, seed: 1) : [];
        var plain = weights.Length == 0 ? RandomWeights.BFloat16((long)shape.Outputs * shape.Inputs, seed: 1) : [];
        var upload = new DeviceUpload();
        var weight = weights.Length == 0 ? new DeviceWeight(upload, [plain], shape.Inputs, []) : new DeviceWeight(upload, weights);
        var smoothing = new DeviceSmoothing(upload, InputTransform.None);
        using var memory = upload.Run(device);
        using var prepared = new DeviceTokens(device);
        foreach (var tokens in sizes.Tokens)
        {
            int[] rows = [.. ((int[])[0, (tokens / 2) - 1, tokens / 2, tokens - 1]).Where(row => row >= 0).Distinct()];
            var (x, modalities) = (Rows(rows.Length, shape.Inputs), Enumerable.Range(0, tokens).Select(t => t < tokens / 2 ? Modality.Vision : Modality.Text).ToArray());
            using var input = device.Allocate((long)tokens * shape.Inputs * sizeof(float));
            using var output = device.Allocate((long)tokens * shape.Outputs * sizeof(float));
            using var kinds = new DeviceArray<Modality>(device, modalities);
            device.Clear(input.Pointer, input.Bytes);
            for (var i = 0; i < rows.Length; i++)
            {
                device.Write(input.Pointer + ((long)rows[i] * shape.Inputs * sizeof(float)), MemoryMarshal.AsBytes(x.Row(i)));
            }

            prepared.Reset(tokens, shape.Inputs, kinds.Pointer);
            device.Launch(PrepareKernels.Tokens(input.Pointer, shape.Inputs, tokens, shape.Inputs, smoothing.For(kinds.Pointer), prepared.Target(weight)));
            weight.Multiply(device, prepared, output.Pointer, shape.Outputs);
            var y = new Matrix(rows.Length, shape.Outputs);
            for (var i = 0; i < rows.Length; i++)
            {
                device.Read(output.Pointer + ((long)rows[i] * shape.Outputs * sizeof(float)), MemoryMarshal.AsBytes(y.Row(i)));
            }

            if (scheme is { } known)
            {
                Compare(known, weights, x, new ModalityMap([.. rows.Select(row => modalities[row])]), y);
            }
            else
            {
                Compare(plain, x, y);
            }
        }
    }

    private static void Compare(QuantizationScheme scheme, QuantizedWeight[] weights, Matrix x, ModalityMap modalities, Matrix y)
    {
        var tokens = new PreparedTokens();
        new ScalarGemmBackend().Prepare(x, modalities, InputTransform.None, scheme, tokens);
        var first = 0;
        foreach (var weight in weights)
        {
            var (expected, actual) = (new Matrix(x.Rows, weight.Outputs), new Matrix(x.Rows, weight.Outputs));
            new CpuGemmBackend().Multiply(tokens, weight, expected);
            for (var row = 0; row < x.Rows; row++)
            {
                y.Row(row).Slice(first, weight.Outputs).CopyTo(actual.Row(row));
            }

            RoundingBound.Check([weight], tokens, [expected], [actual]);
            first += weight.Outputs;
        }
    }

    // BF16 tokens and weights: products are exact; each of K sums rounds, or truncates, by at most 2⁻²³ of the sum of magnitudes. Every 61st output, and the last.
    private static void Compare(byte[] plain, Matrix x, Matrix y)
    {
        var weight = MemoryMarshal.Cast<byte, ushort>(plain);
        var inputs = x.Columns;
        BFloat16.Round(x.Span);
        for (var m = 0; m < x.Rows; m++)
        {
            for (var n = y.Columns - 1; n >= 0; n -= 61)
            {
                var (sum, magnitude) = (0.0, 0.0);
                for (var k = 0; k < inputs; k++)
                {
                    var product = (double)x[m, k] * BFloat16.ToSingle(weight[(n * inputs) + k]);
                    (sum, magnitude) = (sum + product, magnitude + Math.Abs(product));
                }

                Require.Near(sum, y[m, n], magnitude * inputs / (1 << 23), $"token {m}, output {n}");
            }
        }
    }

    private static Matrix Rows(int count, int inputs)
    {
        var (random, rows) = (new Random(count), new Matrix(count, inputs));
        foreach (ref var value in rows.Span)
        {
            value = random.NextSingle() - 0.5f;
        }

        return rows;
    }
}
