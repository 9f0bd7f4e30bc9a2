using System.Globalization;
using MASQuant;
using MASQuant.Bench.Cuda;
using MASQuant.Cuda.Driver;
using MASQuant.Engine.Execution;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (!BenchOptions.TryParse(args, out var options, out var error))
{
    Console.Error.WriteLine($"{error}\n\n{BenchOptions.Usage}");
    return BenchRun.NothingRun;
}

if (options.Help)
{
    Console.WriteLine(BenchOptions.Usage);
    return BenchRun.Done;
}

using var end = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    // Once: the case at work is finished, and what was measured is written. Twice: at once.
    pressed.Cancel = !end.IsCancellationRequested;
    end.Cancel();
};
try
{
    using var gpu = CudaDevice.Open(DeviceChoice.Of(options.Device).Ordinal);
    using var device = new GpuBenchDevice(gpu);
    using var library = CublasLt.TryOpen(gpu);
    return new BenchRun(device, library, options, BenchPlan.Full, [.. DeviceChecks.All, .. FullSizeChecks.Of(BenchPlan.Full.Checked)], Console.Out).Run(end.Token);
}
catch (MASQuantException e)
{
    Console.Error.WriteLine($"Nothing is run. {e.Message}");
    return BenchRun.NothingRun;
}
