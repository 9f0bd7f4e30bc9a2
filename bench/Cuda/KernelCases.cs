using MASQuant.Gemm.Cuda;

namespace MASQuant.Bench.Cuda;

/// <summary>Every linear layer of both models, in every format, for few and many tokens; the preparation of tokens; the low-rank branch; and cuBLASLt beside them.</summary>
internal static class KernelCases
{
    public static IReadOnlyList<int> Tokens { get; } = [1, 16, 512, 2048, 8192];

    public static void Run(DeviceBench bench, CublasLt? library, Results results)
    {
        foreach (var shape in ModelShape.All.SelectMany(model => model.Linears))
        {
            foreach (var (name, scheme) in RandomWeights.Formats)
            {
                var rank = scheme is { QuantizesActivations: true } ? shape.Inputs / 20 : 0; // the paper's ratio 0.05
                Products(bench, results, shape, name, scheme, rank);
            }

            if (library is not null)
            {
                Library(bench, library, results, shape);
            }
        }
    }

    private static void Products(DeviceBench bench, Results results, LinearShape shape, string name, MASQuant.Gemm.QuantizationScheme? scheme, int rank)
    {
        var device = bench.Device;
        var copies = bench.Copies((long)shape.Outputs * shape.Inputs * (scheme?.WeightBits ?? 16) / 8);
        var upload = new DeviceUpload();
        var weights = Enumerable.Range(0, copies).Select(copy => RandomWeights.Add(upload, scheme, shape.Outputs, shape.Inputs, copy, copy == 0 ? rank : 0)).ToArray();
        var plain = new DeviceSmoothing(upload, [[], [], []]);
        using var memory = upload.Run(device);
        using var tokens = new DeviceTokens(device);
        foreach (var m in Tokens)
        {
            using var x = bench.Random((long)m * shape.Inputs * sizeof(float), m, DeviceBench.ShapeFloat);
            using var y = device.Allocate((long)m * shape.Outputs * sizeof(float));
            using var vision = device.Allocate(m);
            device.Write(vision.Pointer, Enumerable.Repeat((byte)Modality.Vision, m).ToArray());
            Prepare(device, tokens, weights[0], plain, x.Pointer, m, DevicePointer.Null);
            results.Add(name, shape.Name, m, bench.Median(copies, copy => weights[copy].Multiply(device, tokens, y.Pointer, shape.Outputs)));
            if (name == "W4A8")
            {
                results.Add("prepare", shape.Name, m, bench.Median(1, _ => Prepare(device, tokens, weights[0], plain, x.Pointer, m, DevicePointer.Null)));
                Prepare(device, tokens, weights[0], plain, x.Pointer, m, vision.Pointer);
                results.Add("W4A8 all vision", shape.Name, m, bench.Median(1, _ => weights[0].Multiply(device, tokens, y.Pointer, shape.Outputs)));
            }
        }
    }

    private static void Prepare(ICudaDevice device, DeviceTokens tokens, DeviceWeight weight, DeviceSmoothing smoothing, DevicePointer x, int count, DevicePointer modalities)
    {
        tokens.Reset(count, weight.Inputs, modalities);
        device.Launch(PrepareKernels.Tokens(x, weight.Inputs, count, weight.Inputs, smoothing.For(modalities), tokens.Target(weight)));
    }

    private static void Library(DeviceBench bench, CublasLt library, Results results, LinearShape shape)
    {
        foreach (var (name, int8, bytes) in (ReadOnlySpan<(string, bool, int)>)[("cuBLASLt BF16", false, 2), ("cuBLASLt INT8", true, 1)])
        {
            var size = (long)shape.Outputs * shape.Inputs * bytes;
            var weights = Enumerable.Range(0, bench.Copies(size)).Select(copy => bench.Random(size, copy, int8 ? null : DeviceBench.ShapeBFloat16)).ToArray();
            foreach (var m in Tokens)
            {
                using var x = bench.Random((long)m * shape.Inputs * bytes, m, int8 ? null : DeviceBench.ShapeBFloat16);
                using var y = bench.Device.Allocate((long)m * shape.Outputs * sizeof(int));
                if (library.Product(int8, m, shape.Outputs, shape.Inputs) is { } product)
                {
                    results.Add(name, shape.Name, m, bench.Median(weights.Length, copy => product(weights[copy].Pointer, x.Pointer, y.Pointer)));
                }
            }

            foreach (var weight in weights)
            {
                weight.Dispose();
            }
        }
    }
}
