using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Formats.Schemes;

namespace MASQuant.Bench.Cuda;

/// <summary>Every linear layer of the models, in every format, for few and many tokens; the preparation of tokens; the low-rank branch.</summary>
internal static class KernelCases
{
    public const string Prepare = "prepare";
    public const string AllVision = "W4A8 all vision";

    public static IEnumerable<BenchCase> Of(BenchPlan plan)
        => from shape in plan.Models.SelectMany(model => model.Linears)
           from kernel in (string[])[.. RandomWeights.Formats.Select(format => format.Name), Prepare, AllVision]
           from tokens in plan.Tokens.All
           select new BenchCase(kernel, shape.Name, tokens);

    public static void Run(DeviceBench bench, Results results)
    {
        foreach (var shape in bench.Plan.Models.SelectMany(model => model.Linears))
        {
            foreach (var (name, scheme) in RandomWeights.Formats)
            {
                Products(bench, results, shape, name, scheme);
            }
        }
    }

    private static void Products(DeviceBench bench, Results results, LinearShape shape, string name, QuantizationScheme? scheme)
    {
        var device = bench.Device;
        var copies = bench.Copies((long)shape.Outputs * shape.Inputs * (scheme?.WeightBits ?? 16) / 8);
        var upload = new DeviceUpload();
        var weights = Enumerable.Range(0, copies).Select(copy => RandomWeights.Of(scheme, shape, copy)(upload)).ToArray();
        var plain = new DeviceSmoothing(upload, InputTransform.None);
        using var memory = upload.Run(device);
        using var tokens = new DeviceTokens(device);
        foreach (var m in bench.Plan.Tokens.All)
        {
            using var x = bench.Random((long)m * shape.Inputs * sizeof(float), m, DeviceBench.ShapeFloat);
            using var y = device.Allocate((long)m * shape.Outputs * sizeof(float));
            using var vision = device.Allocate(m);
            device.Write(vision.Pointer, Enumerable.Repeat((byte)Modality.Vision, m).ToArray());
            void PrepareAs(DevicePointer modalities) => Launch(device, tokens, weights[0], plain, x.Pointer, m, modalities);
            double Product() => bench.Median(copies, copy => weights[copy].Multiply(device, tokens, y.Pointer, shape.Outputs));
            PrepareAs(DevicePointer.Null);
            results.Add(new BenchCase(name, shape.Name, m), Product());
            if (scheme == QuantizationScheme.W4A8)
            {
                results.Add(new BenchCase(Prepare, shape.Name, m), bench.Median(1, _ => PrepareAs(DevicePointer.Null)));
                PrepareAs(vision.Pointer);
                results.Add(new BenchCase(AllVision, shape.Name, m), Product());
            }
        }
    }

    private static void Launch(ICudaDevice device, DeviceTokens tokens, DeviceWeight weight, DeviceSmoothing smoothing, DevicePointer x, int count, DevicePointer modalities)
    {
        tokens.Reset(count, weight.Inputs, modalities);
        device.Launch(PrepareKernels.Tokens(x, weight.Inputs, count, weight.Inputs, smoothing.For(modalities), tokens.Target(weight)));
    }
}
