using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MASQuant.Diagnostics;

namespace MASQuant.Cuda.Driver;

/// <summary>The functions of the NVIDIA driver that this library calls, under their names without <c>cu</c>. Handles are <see langword="nint"/>, results are <see cref="DriverResult"/>s.</summary>
public sealed unsafe class DriverApi
{
    /// <summary>CUDA 11.8, the first whose compiler knows PTX ISA 7.8.</summary>
    public const int LeastVersion = 11080;

    public readonly delegate* unmanaged<uint, int> Init;
    public readonly delegate* unmanaged<int*, int> DeviceGetCount;
    public readonly delegate* unmanaged<int*, int, int> DeviceGet;
    public readonly delegate* unmanaged<byte*, int, int, int> DeviceGetName;
    public readonly delegate* unmanaged<int*, int, int, int> DeviceGetAttribute;
    public readonly delegate* unmanaged<nint*, int, int> DevicePrimaryCtxRetain;
    public readonly delegate* unmanaged<int, int> DevicePrimaryCtxRelease;
    public readonly delegate* unmanaged<nint, int> CtxSetCurrent;
    public readonly delegate* unmanaged<nuint*, nuint*, int> MemGetInfo;
    public readonly delegate* unmanaged<ulong*, nuint, int> MemAlloc;
    public readonly delegate* unmanaged<ulong, int> MemFree;
    public readonly delegate* unmanaged<nint*, nuint, uint, int> MemHostAlloc;
    public readonly delegate* unmanaged<nint, int> MemFreeHost;
    public readonly delegate* unmanaged<ulong, void*, nuint, nint, int> MemcpyHtoDAsync;
    public readonly delegate* unmanaged<void*, ulong, nuint, nint, int> MemcpyDtoHAsync;
    public readonly delegate* unmanaged<ulong, ulong, nuint, nint, int> MemcpyDtoDAsync;
    public readonly delegate* unmanaged<ulong, byte, nuint, nint, int> MemsetD8Async;
    public readonly delegate* unmanaged<nint*, uint, int> StreamCreate;
    public readonly delegate* unmanaged<nint, int> StreamDestroy;
    public readonly delegate* unmanaged<nint, int> StreamSynchronize;
    public readonly delegate* unmanaged<nint, int, int> StreamBeginCapture;
    public readonly delegate* unmanaged<nint, nint*, int> StreamEndCapture;
    public readonly delegate* unmanaged<nint*, nint, ulong, int> GraphInstantiateWithFlags;
    public readonly delegate* unmanaged<nint, nint, int> GraphLaunch;
    public readonly delegate* unmanaged<nint, int> GraphExecDestroy;
    public readonly delegate* unmanaged<nint, int> GraphDestroy;
    public readonly delegate* unmanaged<nint*, uint, int> EventCreate;
    public readonly delegate* unmanaged<nint, nint, int> EventRecord;
    public readonly delegate* unmanaged<nint, int> EventSynchronize;
    public readonly delegate* unmanaged<float*, nint, nint, int> EventElapsedTime;
    public readonly delegate* unmanaged<nint, int> EventDestroy;
    public readonly delegate* unmanaged<nint*, void*, uint, int*, void**, int> ModuleLoadDataEx;
    public readonly delegate* unmanaged<nint, int> ModuleUnload;
    public readonly delegate* unmanaged<nint*, nint, byte*, int> ModuleGetFunction;
    public readonly delegate* unmanaged<nint, int, int, int> FuncSetAttribute;
    public readonly delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int> LaunchKernel;
    private readonly delegate* unmanaged<int*, int> _driverGetVersion;
    private readonly delegate* unmanaged<int, byte**, int> _getErrorName;
    private readonly delegate* unmanaged<int, byte**, int> _getErrorString;
    private readonly string _library;

    /// <summary>Binds the functions that <paramref name="find"/> gives an address (0: it has none), after a look at the driver's version.</summary>
    /// <exception cref="MASQuantException">MASQ1003: the driver is too old.</exception>
    public DriverApi(string library, Func<string, nint> find)
    {
        _library = library;
        _driverGetVersion = (delegate* unmanaged<int*, int>)Find(find, "cuDriverGetVersion");
        _getErrorName = (delegate* unmanaged<int, byte**, int>)Find(find, "cuGetErrorName");
        _getErrorString = (delegate* unmanaged<int, byte**, int>)Find(find, "cuGetErrorString");
        Version = RequireVersion();
        Init = (delegate* unmanaged<uint, int>)Find(find, "cuInit");
        DeviceGetCount = (delegate* unmanaged<int*, int>)Find(find, "cuDeviceGetCount");
        DeviceGet = (delegate* unmanaged<int*, int, int>)Find(find, "cuDeviceGet");
        DeviceGetName = (delegate* unmanaged<byte*, int, int, int>)Find(find, "cuDeviceGetName");
        DeviceGetAttribute = (delegate* unmanaged<int*, int, int, int>)Find(find, "cuDeviceGetAttribute");
        DevicePrimaryCtxRetain = (delegate* unmanaged<nint*, int, int>)Find(find, "cuDevicePrimaryCtxRetain");
        DevicePrimaryCtxRelease = (delegate* unmanaged<int, int>)Find(find, "cuDevicePrimaryCtxRelease_v2");
        CtxSetCurrent = (delegate* unmanaged<nint, int>)Find(find, "cuCtxSetCurrent");
        MemGetInfo = (delegate* unmanaged<nuint*, nuint*, int>)Find(find, "cuMemGetInfo_v2");
        MemAlloc = (delegate* unmanaged<ulong*, nuint, int>)Find(find, "cuMemAlloc_v2");
        MemFree = (delegate* unmanaged<ulong, int>)Find(find, "cuMemFree_v2");
        MemHostAlloc = (delegate* unmanaged<nint*, nuint, uint, int>)Find(find, "cuMemHostAlloc");
        MemFreeHost = (delegate* unmanaged<nint, int>)Find(find, "cuMemFreeHost");
        MemcpyHtoDAsync = (delegate* unmanaged<ulong, void*, nuint, nint, int>)Find(find, "cuMemcpyHtoDAsync_v2");
        MemcpyDtoHAsync = (delegate* unmanaged<void*, ulong, nuint, nint, int>)Find(find, "cuMemcpyDtoHAsync_v2");
        MemcpyDtoDAsync = (delegate* unmanaged<ulong, ulong, nuint, nint, int>)Find(find, "cuMemcpyDtoDAsync_v2");
        MemsetD8Async = (delegate* unmanaged<ulong, byte, nuint, nint, int>)Find(find, "cuMemsetD8Async");
        StreamCreate = (delegate* unmanaged<nint*, uint, int>)Find(find, "cuStreamCreate");
        StreamDestroy = (delegate* unmanaged<nint, int>)Find(find, "cuStreamDestroy_v2");
        StreamSynchronize = (delegate* unmanaged<nint, int>)Find(find, "cuStreamSynchronize");
        StreamBeginCapture = (delegate* unmanaged<nint, int, int>)Find(find, "cuStreamBeginCapture_v2");
        StreamEndCapture = (delegate* unmanaged<nint, nint*, int>)Find(find, "cuStreamEndCapture");
        GraphInstantiateWithFlags = (delegate* unmanaged<nint*, nint, ulong, int>)Find(find, "cuGraphInstantiateWithFlags");
        GraphLaunch = (delegate* unmanaged<nint, nint, int>)Find(find, "cuGraphLaunch");
        GraphExecDestroy = (delegate* unmanaged<nint, int>)Find(find, "cuGraphExecDestroy");
        GraphDestroy = (delegate* unmanaged<nint, int>)Find(find, "cuGraphDestroy");
        EventCreate = (delegate* unmanaged<nint*, uint, int>)Find(find, "cuEventCreate");
        EventRecord = (delegate* unmanaged<nint, nint, int>)Find(find, "cuEventRecord");
        EventSynchronize = (delegate* unmanaged<nint, int>)Find(find, "cuEventSynchronize");
        EventElapsedTime = (delegate* unmanaged<float*, nint, nint, int>)Find(find, "cuEventElapsedTime");
        EventDestroy = (delegate* unmanaged<nint, int>)Find(find, "cuEventDestroy_v2");
        ModuleLoadDataEx = (delegate* unmanaged<nint*, void*, uint, int*, void**, int>)Find(find, "cuModuleLoadDataEx");
        ModuleUnload = (delegate* unmanaged<nint, int>)Find(find, "cuModuleUnload");
        ModuleGetFunction = (delegate* unmanaged<nint*, nint, byte*, int>)Find(find, "cuModuleGetFunction");
        FuncSetAttribute = (delegate* unmanaged<nint, int, int, int>)Find(find, "cuFuncSetAttribute");
        LaunchKernel = (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)Find(find, "cuLaunchKernel");
    }

    /// <summary>The CUDA version that the driver supports, 12040 for 12.4.</summary>
    public int Version { get; }

    /// <summary>Refuses a result that is not success.</summary>
    /// <param name="result">What the call returned.</param>
    /// <param name="call">The call's text: it names the function.</param>
    /// <exception cref="MASQuantException">MASQ1006, naming function and result.</exception>
    public void Check(int result, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (result != DriverResult.Success)
        {
            Fail(result, call);
        }
    }

    /// <summary>The driver's name of a result and what it says of it: <c>CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory access was encountered)</c>.</summary>
    public string Describe(int result)
    {
        byte* name;
        byte* text;
        if (_getErrorName(result, &name) != DriverResult.Success || name is null)
        {
            return $"result {result}";
        }

        return _getErrorString(result, &text) == DriverResult.Success && text is not null
            ? $"{Marshal.PtrToStringUTF8((nint)name)} ({Marshal.PtrToStringUTF8((nint)text)})"
            : Marshal.PtrToStringUTF8((nint)name)!;
    }

    [DoesNotReturn]
    private void Fail(int result, string call)
    {
        var end = call.IndexOf('(', StringComparison.Ordinal);
        var start = call.LastIndexOf('.', end) + 1;
        throw new MASQuantException(DiagnosticCodes.DriverCallFailed, null,
            $"The NVIDIA driver answered cu{call[start..end]} with {Describe(result)}. A failure while kernels run may have happened in a launch before; run again, and set MASQUANT_DEVICE=cpu to run on the processor.");
    }

    private int RequireVersion()
    {
        int version;
        Check(_driverGetVersion(&version), "DriverGetVersion()");
        if (version < LeastVersion)
        {
            throw new MASQuantException(DiagnosticCodes.DriverTooOld, null,
                $"The NVIDIA driver supports CUDA {version / 1000}.{version % 1000 / 10}; the kernels need CUDA {LeastVersion / 1000}.{LeastVersion % 1000 / 10}, which is driver R520 or newer. Update the driver, or run on the processor: --device cpu.");
        }

        return version;
    }

    private nint Find(Func<string, nint> find, string name)
    {
        var address = find(name);
        return address != 0 ? address : throw new MASQuantException(DiagnosticCodes.DriverTooOld, null,
            $"The driver library '{_library}' lacks {name}, which drivers from R520 on have. Update the driver, or run on the processor: --device cpu.");
    }
}
