using System.Text;
using MASQuant.Cuda.Device;
using MASQuant.Diagnostics;

namespace MASQuant.Cuda.Driver;

/// <summary>A <see cref="KernelModule"/> that the driver has compiled for its device.</summary>
internal sealed unsafe class DeviceModule : ContextHandle
{
    private const int ErrorLogBuffer = 5; // CU_JIT_ERROR_LOG_BUFFER
    private const int ErrorLogBytes = 6; // CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES
    private const int LogCapacity = 8192;
    private const int MaxDynamicSharedBytes = 8; // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    private const int SharedBytesWithoutAsking = 48 * 1024;

    private DeviceModule(PrimaryContext context, nint module)
        : base(context, module)
    {
    }

    /// <summary>Compiles a module, or finds it in the driver's cache.</summary>
    /// <exception cref="MASQuantException">MASQ1007, with the driver's log.</exception>
    public static DeviceModule Load(PrimaryContext context, KernelModule module, string device)
    {
        byte[] ptx = [.. module.ReadPtx(), 0];
        var log = new byte[LogCapacity];
        var options = stackalloc int[] { ErrorLogBuffer, ErrorLogBytes };
        var driver = context.Driver;
        context.MakeCurrent();
        fixed (byte* text = ptx, errors = log)
        {
            var values = stackalloc void*[] { errors, (void*)LogCapacity };
            nint handle;
            var result = driver.ModuleLoadDataEx(&handle, text, 2, options, values);
            return result == DriverResult.Success ? new DeviceModule(context, handle) : throw Rejected(driver.Describe(result), module, device, log);
        }
    }

    /// <summary>The driver's handle of a kernel, ready to be launched with the shared memory that it may ask for.</summary>
    public nint Function(Kernel kernel)
    {
        nint function;
        fixed (byte* name = Encoding.UTF8.GetBytes(kernel.Entry + '\0'))
        {
            Driver.Check(Driver.ModuleGetFunction(&function, Value, name));
        }

        if (kernel.MaxSharedBytes > SharedBytesWithoutAsking)
        {
            Driver.Check(Driver.FuncSetAttribute(function, MaxDynamicSharedBytes, kernel.MaxSharedBytes));
        }

        return function;
    }

    protected override int Free() => Driver.ModuleUnload(handle);

    private static MASQuantException Rejected(string result, KernelModule module, string device, byte[] log)
    {
        var length = Array.IndexOf(log, (byte)0);
        var text = Encoding.UTF8.GetString(log, 0, length < 0 ? log.Length : length).Trim();
        return new MASQuantException(DiagnosticCodes.KernelRejected, null,
            $"The NVIDIA driver does not compile '{module.Name}' for {device}: {result}.{(text.Length > 0 ? $" Its log: {text}" : "")} Update the driver, or run on the processor: --device cpu.");
    }
}
