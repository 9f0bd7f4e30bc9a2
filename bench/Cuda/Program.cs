using System.Globalization;
using MASQuant;
using MASQuant.Bench.Cuda;
using MASQuant.Diagnostics;
using MASQuant.Gemm.Cuda.Driver;

// [--device cuda:N] [--csv FILE] [kernels] [models]; everything without a word. Without a usable GPU: says why, and that is all.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
string? Value(string option) => args.SkipWhile(word => word != option).Skip(1).FirstOrDefault();
string[] parts = [.. args.Where(word => word is "kernels" or "models")];
bool Wanted(string part) => parts.Length == 0 || parts.Contains(part);
try
{
    var choice = DeviceChoice.Of(Value("--device") ?? "cuda");
    using var device = CudaDevice.Open(Math.Max(0, choice.Ordinal));
    using var bench = new DeviceBench(device);
    var results = new Results();
    Console.WriteLine($"{device.Name}: {device.ProductName}, compute capability {device.ComputeCapability / 10}.{device.ComputeCapability % 10}, {device.Multiprocessors} multiprocessors, {device.L2CacheBytes >> 20} MiB L2, driver for CUDA {bench.DriverVersion}");
    Console.WriteLine($"copy on the device: {bench.CopyBandwidth() / 1e12:F2} TB/s, read and written");
    using var library = CublasLt.TryOpen(device);
    Console.WriteLine(library is null ? "cuBLASLt: not found; the comparisons with it are left out" : $"cuBLASLt {library.Version}");
    if (Wanted("kernels"))
    {
        KernelCases.Run(bench, library, results);
        Verdicts.Print(results, bench);
    }

    if (Wanted("models"))
    {
        ModelCases.Run(bench, results);
    }

    if (Value("--csv") is { } file)
    {
        results.Write(file, device.ProductName, bench.DriverVersion);
    }
}
catch (MasQuantException e)
{
    Console.WriteLine($"Nothing is measured. {e.Code}: {e.Message}");
}

return 0;
