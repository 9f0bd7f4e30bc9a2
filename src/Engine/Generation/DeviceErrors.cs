using MASQuant.Diagnostics;

namespace MASQuant.Engine.Generation;

/// <summary>Tells what a device fails with, and all that runs on it, from what a prompt fails with alone.</summary>
internal static class DeviceErrors
{
    /// <summary>Whether a device has failed.</summary>
    public static bool IsOne(MASQuantException error) => error.Code is DiagnosticCodes.DeviceMemoryExhausted or DiagnosticCodes.DriverCallFailed or DiagnosticCodes.KernelRejected;
}
