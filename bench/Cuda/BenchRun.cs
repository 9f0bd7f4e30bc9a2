using System.Text;
using MASQuant.Formats.Files;

namespace MASQuant.Bench.Cuda;

/// <summary>A whole run on one device. However it ends, what was measured is judged and written.</summary>
internal sealed class BenchRun
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int NothingRun = 2;
    public const int Interrupted = 130;

    private readonly IBenchDevice _device;
    private readonly IProductLibrary? _library;
    private readonly BenchOptions _options;
    private readonly BenchPlan _plan;
    private readonly IReadOnlyList<DeviceCheck> _checks;
    private readonly TextWriter _log;
    private double _copyBandwidth = double.NaN;

    public BenchRun(IBenchDevice device, IProductLibrary? library, BenchOptions options, BenchPlan plan, IReadOnlyList<DeviceCheck> checks, TextWriter log)
    {
        (_device, _library, _options, _plan, _checks, _log) = (device, library, options, plan, [.. checks.Where(check => options.Wants(check.Name))], log);
        IReadOnlyCollection<BenchCase> planned =
        [
            .. Wanted("kernels") ? [.. KernelCases.Of(plan), .. ChoiceCases.Of(plan)] : (BenchCase[])[],
            .. Wanted("kernels") && library is not null ? LibraryCases.Of(plan) : [],
            .. Wanted("layers") ? LayerCases.Of(plan) : [],
            .. Wanted("models") ? ModelCases.Of(plan) : [],
        ];
        Results = new Results(planned, [.. planned, .. KernelCases.Of(plan), .. LibraryCases.Of(plan)], log);
    }

    /// <summary>What has been measured.</summary>
    public Results Results { get; }

    private string Machine => FormattableString.Invariant(
        $"{_device.ProductName} (compute capability {_device.Device.ComputeCapability / 10}.{_device.Device.ComputeCapability % 10}, {_device.Device.Multiprocessors} multiprocessors, {_device.L2CacheBytes >> 20} MiB L2), driver {_device.Driver}")
        + (_library is null ? ", without cuBLASLt" : $", {_library.Name}")
        + (double.IsNaN(_copyBandwidth) ? "" : FormattableString.Invariant($"; a copy on the device reads and writes {_copyBandwidth / 1e12:F2} TB/s"));

    /// <summary>Checks, times, judges and writes; the exit code.</summary>
    public int Run(CancellationToken cancellationToken = default)
    {
        _log.WriteLine(Machine);
        if (_checks.Count == 0 && (_options.Only ?? _options.Skip) is not null)
        {
            _log.WriteLine("--only and --skip leave no check.");
            return NothingRun;
        }

        try
        {
            if (!CheckRun.Run(_device.Device, _checks, _log, cancellationToken))
            {
                return Failed; // What computes something else is not timed.
            }

            Time(new DeviceBench(_device, _plan, cancellationToken));
            return Done;
        }
        catch (OperationCanceledException)
        {
            _log.WriteLine("Ended before its end.");
            return Interrupted;
        }
        catch (Exception e) when (e is MASQuantException or InvalidOperationException)
        {
            _log.WriteLine($"Ended by an error. {e.Message}");
            return Failed;
        }
        finally
        {
            Write();
        }
    }

    private void Time(DeviceBench bench)
    {
        _log.WriteLine(Results.Planned == 0 ? "Nothing is timed." : $"{Results.Planned} cases");
        if (Wanted("kernels"))
        {
            _copyBandwidth = bench.CopyBandwidth();
            KernelCases.Run(bench, Results);
            ChoiceCases.Run(bench, Results);
            if (_library is not null)
            {
                LibraryCases.Run(bench, _library, Results);
            }
        }

        if (Wanted("layers"))
        {
            LayerCases.Run(bench, Results);
        }

        if (Wanted("models"))
        {
            ModelCases.Run(bench, Results);
        }
    }

    private void Write()
    {
        if (Results.Figures.Count == 0)
        {
            return;
        }

        var verdicts = Wanted("kernels") ? Verdicts.Of(Results, _plan, _device.Device.ComputeCapability, _copyBandwidth) : [];
        if (verdicts.Count > 0)
        {
            _log.WriteLine($"\n{Verdict.Heading}\n{string.Join('\n', verdicts.Select(verdict => verdict.Row))}\n");
        }

        if (_options.Csv is { } csv)
        {
            Results.Write(csv, _device);
        }

        if (_options.Markdown is { } markdown)
        {
            AtomicFile.Write(markdown, stream => stream.Write(Encoding.UTF8.GetBytes(MarkdownReport.Of(Results, _plan, Machine, verdicts))));
            _log.WriteLine($"Tables in {markdown}.");
        }
    }

    private bool Wanted(string part) => _options.Timed.Contains(part);
}
