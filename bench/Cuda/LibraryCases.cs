using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;

namespace MASQuant.Bench.Cuda;

/// <summary>The same layers with the maker's library: BF16, INT8, and what W4A8 does with vision put together from INT8's parts.</summary>
internal static class LibraryCases
{
    public const string BFloat16 = "cuBLASLt BF16";
    public const string Int8 = "cuBLASLt INT8";

    /// <summary>INT8, then scales and bias, then both factors of the low-rank branch, each on its own. Scaling is timed as a copy, which moves the same bytes: no kernel is faster.</summary>
    public const string Int8InParts = "cuBLASLt INT8 in parts";

    public static IEnumerable<BenchCase> Of(BenchPlan plan)
        => from shape in plan.Models.SelectMany(model => model.Linears)
           from kernel in (string[])[BFloat16, Int8, Int8InParts]
           from tokens in plan.Tokens.All
           select new BenchCase(kernel, shape.Name, tokens);

    public static void Run(DeviceBench bench, IProductLibrary library, Results results)
    {
        foreach (var shape in bench.Plan.Models.SelectMany(model => model.Linears))
        {
            var (outputs, inputs) = (shape.Outputs, shape.Inputs);
            Rotate(bench, results, shape, BFloat16, sizeof(ushort), m => library.Product(ProductKind.BFloat16, m, outputs, inputs));
            Rotate(bench, results, shape, Int8, sizeof(sbyte), m => library.Product(ProductKind.Int8, m, outputs, inputs));
            InParts(bench, library, results, shape);
        }
    }

    private static void InParts(DeviceBench bench, IProductLibrary library, Results results, LinearShape shape)
    {
        // All projections at once, and one product for all layers, as wide as the widest of theirs.
        var (device, outputs, inputs) = (bench.Device, shape.Outputs, shape.Inputs);
        var (columns, rank) = (shape.Ranks.Sum(FragmentOrder.PadRank), FragmentOrder.PadRank(shape.Ranks.Max()));
        using var l1 = Values(bench, (long)columns * inputs);
        using var l2 = Values(bench, (long)outputs * rank);
        foreach (var m in bench.Plan.Tokens.All)
        {
            using var smoothed = Values(bench, (long)m * inputs);
            using var projected = Values(bench, (long)m * columns);
            using var scaled = device.Allocate((long)m * outputs * sizeof(float));
            var down = library.Product(ProductKind.BFloat16, m, columns, inputs);
            var up = library.Product(ProductKind.Accumulate, m, outputs, rank);
            var product = down is null || up is null ? null : library.Product(ProductKind.Int8, m, outputs, inputs);
            Measure(bench, results, new BenchCase(Int8InParts, shape.Name, m), shape, sizeof(sbyte), product, y =>
            {
                device.Copy(y, scaled.Pointer, (long)m * outputs * sizeof(float));
                down!(l1.Pointer, smoothed.Pointer, projected.Pointer);
                up!(l2.Pointer, projected.Pointer, scaled.Pointer);
            });
        }
    }

    private static void Rotate(DeviceBench bench, Results results, LinearShape shape, string name, int bytes, Func<int, Action<DevicePointer, DevicePointer, DevicePointer>?> product)
    {
        foreach (var m in bench.Plan.Tokens.All)
        {
            Measure(bench, results, new BenchCase(name, shape.Name, m), shape, bytes, product(m), _ => { });
        }
    }

    private static void Measure(
        DeviceBench bench, Results results, BenchCase done, LinearShape shape, int bytes, Action<DevicePointer, DevicePointer, DevicePointer>? product, Action<DevicePointer> then)
    {
        if (product is null)
        {
            results.Skip(done, "the library has no algorithm");
            return;
        }

        var size = (long)shape.Outputs * shape.Inputs * bytes;
        Action<byte[]>? values = bytes == sizeof(ushort) ? RandomWeights.ShapeBFloat16 : null;
        using var weights = bench.Random(size * bench.Copies(size), 1, values);
        using var x = bench.Random((long)done.Tokens * shape.Inputs * bytes, done.Tokens, values);
        using var y = bench.Device.Allocate((long)done.Tokens * shape.Outputs * sizeof(int));
        results.Add(done, bench.Median(bench.Copies(size), copy =>
        {
            product(weights.Pointer + (copy * size), x.Pointer, y.Pointer);
            then(y.Pointer);
        }));
    }

    private static IDeviceMemory Values(DeviceBench bench, long count) => bench.Random(count * sizeof(ushort), 1, RandomWeights.ShapeBFloat16);
}
