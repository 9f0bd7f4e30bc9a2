using System.Runtime.InteropServices;
using MASQuant.Diagnostics;

namespace MASQuant.Cuda.Driver;

/// <summary>The driver as the machine has it, loaded on first use and kept: the only native library that this one calls.</summary>
internal static class DriverLibrary
{
    private static readonly Lock Gate = new();
    private static DriverApi? _api;

    private static string Name => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    /// <summary>The initialized driver.</summary>
    /// <exception cref="MASQuantException">MASQ1001 there is none, MASQ1002 it knows no device, MASQ1003 it is too old, MASQ1006 it fails.</exception>
    public static unsafe DriverApi Load()
    {
        lock (Gate)
        {
            return _api ??= Initialize(Open());
        }
    }

    /// <summary>Makes the driver ready to be asked for devices.</summary>
    public static unsafe DriverApi Initialize(DriverApi api)
    {
        var result = api.Init(0);
        if (result == DriverResult.NoDevice)
        {
            throw NoDevice(0, 0);
        }

        api.Check(result, "Init(0)");
        return api;
    }

    /// <summary>The error of a device that is not there.</summary>
    public static MASQuantException NoDevice(int wanted, int count)
        => new(DiagnosticCodes.DeviceMissing, null, count == 0
            ? "The NVIDIA driver is installed but finds no GPU. Check that nvidia-smi lists one (in a container: that it was started with access to it), or run on the processor: --device cpu."
            : $"There is no device cuda:{wanted}; the NVIDIA driver finds {count}, cuda:0{(count > 1 ? $" to cuda:{count - 1}" : "")}. Choose one of them, or run on the processor: --device cpu.");

    private static DriverApi Open()
    {
        if (!NativeLibrary.TryLoad(Name, out var library))
        {
            throw new MASQuantException(DiagnosticCodes.DriverMissing, null,
                $"There is no NVIDIA driver on this machine: the library '{Name}' is not found. Install the driver (R520 or newer; nothing else of CUDA is needed), or run on the processor: --device cpu.");
        }

        return new DriverApi(Name, name => NativeLibrary.TryGetExport(library, name, out var address) ? address : 0);
    }
}
