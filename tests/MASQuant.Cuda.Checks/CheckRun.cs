using System.Diagnostics;
using MASQuant.Cuda.Device;
using MASQuant.Diagnostics;

namespace MASQuant.Cuda.Checks;

/// <summary>Runs checks, each twice: what a device gives back must be right, and the same bits again.</summary>
public static class CheckRun
{
    /// <summary>Whether all hold. A line each, and one with their numbers.</summary>
    /// <exception cref="OperationCanceledException">The run is ended.</exception>
    public static bool Run(ICudaDevice device, IReadOnlyList<DeviceCheck> checks, TextWriter log, CancellationToken cancellationToken = default)
    {
        var (watch, failed, done) = (Stopwatch.StartNew(), 0, 0);
        foreach (var check in checks)
        {
            cancellationToken.ThrowIfCancellationRequested();
            done++;
            var error = Fault(device, check, out var isFatal);
            failed += error is null ? 0 : 1;
            log.WriteLine($"[{done}/{checks.Count}] {(error is null ? "passed" : "FAILED")} {check.Name}{(error is null ? "" : $"\n    {error}")}");
            if (isFatal)
            {
                log.WriteLine($"The device takes no more work; {checks.Count - done} checks were not run.");
                break;
            }
        }

        log.WriteLine(FormattableString.Invariant($"{done - failed} passed, {failed} failed, {watch.Elapsed.TotalSeconds:F1} s"));
        return failed == 0;
    }

    /// <summary>What is wrong; null when nothing is.</summary>
    private static string? Fault(ICudaDevice device, DeviceCheck check, out bool isFatal)
    {
        isFatal = false;
        try
        {
            var (first, second) = (new RecordingDevice(device), new RecordingDevice(device));
            check.Run(first);
            check.Run(second);
            return first.ReadSoFar == second.ReadSoFar ? null : "The device gave other bits when it did the same again.";
        }
        catch (MASQuantException e)
        {
            isFatal = e.Code == DiagnosticCodes.DriverCallFailed; // After a failed launch every call fails.
            return e.Message;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return e.Message;
        }
    }
}
