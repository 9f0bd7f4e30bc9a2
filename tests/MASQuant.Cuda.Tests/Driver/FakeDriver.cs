using System.Runtime.InteropServices;
using MASQuant.Cuda.Driver;

namespace MASQuant.Cuda.Tests.Driver;

/// <summary>A driver without a GPU: keeps books of what it gave out, remembers every call, and fails where a test says so. "Device memory" is host memory, and work is done as it is queued.</summary>
internal static unsafe class FakeDriver
{
    public const int IllegalAddress = 700;
    public const int InvalidPtx = 218;

    private static readonly Dictionary<nint, string> Alive = [];
    private static readonly Dictionary<string, int> Failures = [];
    private static readonly Dictionary<string, nint> Functions = Table();
    private static nint _lastHandle;
    private static int _contextReferences;
    private static nint _current;

    public static List<string> Calls { get; } = [];

    /// <summary>Calls that no program may make: on handles that were freed or never given, or without a current context.</summary>
    public static List<string> Wrong { get; } = [];

    public static int Version { get; set; }

    public static int Devices { get; set; }

    public static int Capability { get; set; }

    public static long FreeBytes { get; set; }

    public static string? Missing { get; set; }

    public static byte[] LaunchedArguments { get; private set; } = [];

    public static string Log { get; set; } = "";

    public static IReadOnlyCollection<string> Leaked => _contextReferences == 0 ? Alive.Values : [.. Alive.Values, "context"];

    public static void Reset()
    {
        Calls.Clear();
        Wrong.Clear();
        Alive.Clear();
        Failures.Clear();
        (Version, Devices, Capability, FreeBytes, Missing, Log) = (12020, 1, 80, 1 << 30, null, "");
        (_contextReferences, _current) = (0, 0);
    }

    public static DriverApi Bind() => DriverLibrary.Initialize(new DriverApi("fake", name => name == Missing ? 0 : Functions.GetValueOrDefault(name)));

    public static CudaDevice Open(int ordinal = 0) => CudaDevice.Open(ordinal, Bind());

    /// <summary>Makes all following calls of a function fail; 0 ends it.</summary>
    public static void Fail(string function, int result) => Failures[function] = result;

    public static int Count(string function) => Calls.Count(call => call == function);

    private static Dictionary<string, nint> Table() => new()
    {
        ["cuDriverGetVersion"] = (nint)(delegate* unmanaged<int*, int>)&DriverGetVersion,
        ["cuGetErrorName"] = (nint)(delegate* unmanaged<int, byte**, int>)&GetErrorName,
        ["cuGetErrorString"] = (nint)(delegate* unmanaged<int, byte**, int>)&GetErrorString,
        ["cuInit"] = (nint)(delegate* unmanaged<uint, int>)&Init,
        ["cuDeviceGetCount"] = (nint)(delegate* unmanaged<int*, int>)&DeviceGetCount,
        ["cuDeviceGet"] = (nint)(delegate* unmanaged<int*, int, int>)&DeviceGet,
        ["cuDeviceGetName"] = (nint)(delegate* unmanaged<byte*, int, int, int>)&DeviceGetName,
        ["cuDeviceGetAttribute"] = (nint)(delegate* unmanaged<int*, int, int, int>)&DeviceGetAttribute,
        ["cuDevicePrimaryCtxRetain"] = (nint)(delegate* unmanaged<nint*, int, int>)&ContextRetain,
        ["cuDevicePrimaryCtxRelease_v2"] = (nint)(delegate* unmanaged<int, int>)&ContextRelease,
        ["cuCtxSetCurrent"] = (nint)(delegate* unmanaged<nint, int>)&SetCurrent,
        ["cuMemGetInfo_v2"] = (nint)(delegate* unmanaged<nuint*, nuint*, int>)&MemGetInfo,
        ["cuMemAlloc_v2"] = (nint)(delegate* unmanaged<nint*, nuint, int>)&MemAlloc,
        ["cuMemFree_v2"] = (nint)(delegate* unmanaged<nint, int>)&MemFree,
        ["cuMemHostAlloc"] = (nint)(delegate* unmanaged<nint*, nuint, uint, int>)&MemHostAlloc,
        ["cuMemFreeHost"] = (nint)(delegate* unmanaged<nint, int>)&MemFreeHost,
        ["cuMemcpyHtoDAsync_v2"] = (nint)(delegate* unmanaged<void*, void*, nuint, nint, int>)&CopyToDevice,
        ["cuMemcpyDtoHAsync_v2"] = (nint)(delegate* unmanaged<void*, void*, nuint, nint, int>)&CopyToHost,
        ["cuMemcpyDtoDAsync_v2"] = (nint)(delegate* unmanaged<void*, void*, nuint, nint, int>)&CopyOnDevice,
        ["cuMemsetD8Async"] = (nint)(delegate* unmanaged<void*, byte, nuint, nint, int>)&Memset,
        ["cuStreamCreate"] = (nint)(delegate* unmanaged<nint*, uint, int>)&StreamCreate,
        ["cuStreamDestroy_v2"] = (nint)(delegate* unmanaged<nint, int>)&StreamDestroy,
        ["cuStreamSynchronize"] = (nint)(delegate* unmanaged<nint, int>)&StreamSynchronize,
        ["cuStreamBeginCapture_v2"] = (nint)(delegate* unmanaged<nint, int, int>)&BeginCapture,
        ["cuStreamEndCapture"] = (nint)(delegate* unmanaged<nint, nint*, int>)&EndCapture,
        ["cuGraphInstantiateWithFlags"] = (nint)(delegate* unmanaged<nint*, nint, ulong, int>)&Instantiate,
        ["cuGraphLaunch"] = (nint)(delegate* unmanaged<nint, nint, int>)&GraphLaunch,
        ["cuGraphExecDestroy"] = (nint)(delegate* unmanaged<nint, int>)&GraphExecDestroy,
        ["cuGraphDestroy"] = (nint)(delegate* unmanaged<nint, int>)&GraphDestroy,
        ["cuEventCreate"] = (nint)(delegate* unmanaged<nint*, uint, int>)&EventCreate,
        ["cuEventRecord"] = (nint)(delegate* unmanaged<nint, nint, int>)&EventRecord,
        ["cuEventSynchronize"] = (nint)(delegate* unmanaged<nint, int>)&EventSynchronize,
        ["cuEventElapsedTime"] = (nint)(delegate* unmanaged<float*, nint, nint, int>)&EventElapsedTime,
        ["cuEventDestroy_v2"] = (nint)(delegate* unmanaged<nint, int>)&EventDestroy,
        ["cuModuleLoadDataEx"] = (nint)(delegate* unmanaged<nint*, void*, uint, int*, void**, int>)&ModuleLoad,
        ["cuModuleUnload"] = (nint)(delegate* unmanaged<nint, int>)&ModuleUnload,
        ["cuModuleGetFunction"] = (nint)(delegate* unmanaged<nint*, nint, byte*, int>)&GetFunction,
        ["cuFuncSetAttribute"] = (nint)(delegate* unmanaged<nint, int, int, int>)&SetAttribute,
        ["cuLaunchKernel"] = (nint)(delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)&LaunchKernel,
    };

    [UnmanagedCallersOnly]
    private static int DriverGetVersion(int* version) => Set(version, Version, Note("cuDriverGetVersion"));

    [UnmanagedCallersOnly]
    private static int GetErrorName(int result, byte** name) => Text(name, result switch { 2 => "CUDA_ERROR_OUT_OF_MEMORY", InvalidPtx => "CUDA_ERROR_INVALID_PTX", _ => $"CUDA_ERROR_{result}" });

    [UnmanagedCallersOnly]
    private static int GetErrorString(int result, byte** text) => Text(text, $"what {result} means");

    [UnmanagedCallersOnly]
    private static int Init(uint flags) => Note("cuInit");

    [UnmanagedCallersOnly]
    private static int DeviceGetCount(int* count) => Set(count, Devices, Note("cuDeviceGetCount"));

    [UnmanagedCallersOnly]
    private static int DeviceGet(int* device, int ordinal) => Set(device, ordinal, Note("cuDeviceGet"));

    [UnmanagedCallersOnly]
    private static int DeviceGetName(byte* name, int capacity, int device)
    {
        "Fake GPU\0"u8.CopyTo(new Span<byte>(name, capacity));
        return Note("cuDeviceGetName");
    }

    [UnmanagedCallersOnly]
    private static int DeviceGetAttribute(int* value, int attribute, int device)
        => Set(value, (DeviceAttribute)attribute switch { DeviceAttribute.ComputeCapabilityMajor => Capability / 10, DeviceAttribute.ComputeCapabilityMinor => Capability % 10, _ => 1000 + attribute }, Note("cuDeviceGetAttribute"));

    [UnmanagedCallersOnly]
    private static int ContextRetain(nint* context, int device)
    {
        var result = Note("cuDevicePrimaryCtxRetain");
        _contextReferences += result == 0 ? 1 : 0;
        *context = 77;
        return result;
    }

    [UnmanagedCallersOnly]
    private static int ContextRelease(int device)
    {
        Require(Alive.Count == 0 && --_contextReferences == 0, "cuDevicePrimaryCtxRelease before the last handle");
        _current = 0;
        return Note("cuDevicePrimaryCtxRelease");
    }

    [UnmanagedCallersOnly]
    private static int SetCurrent(nint context)
    {
        Require(_contextReferences > 0 && context == 77, "cuCtxSetCurrent");
        _current = context;
        return 0; // Not noted: it comes before everything.
    }

    [UnmanagedCallersOnly]
    private static int MemGetInfo(nuint* free, nuint* total)
    {
        *free = (nuint)FreeBytes;
        *total = (nuint)2 << 30;
        return Note("cuMemGetInfo");
    }

    [UnmanagedCallersOnly]
    private static int MemAlloc(nint* address, nuint bytes)
    {
        var result = InContext("cuMemAlloc");
        if (result != 0 || (long)bytes > FreeBytes)
        {
            return result != 0 ? result : DriverResult.OutOfMemory;
        }

        *address = (nint)NativeMemory.AlignedAlloc(bytes, 256);
        Alive.Add(*address, $"device memory {bytes}");
        FreeBytes -= (long)bytes;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int MemFree(nint address)
    {
        if (Alive.TryGetValue(address, out var kind) && kind.StartsWith("device memory ", StringComparison.Ordinal))
        {
            FreeBytes += long.Parse(kind["device memory ".Length..], System.Globalization.CultureInfo.InvariantCulture);
            NativeMemory.AlignedFree((void*)address);
        }

        return Free("cuMemFree", address, "device memory");
    }

    [UnmanagedCallersOnly]
    private static int MemHostAlloc(nint* address, nuint bytes, uint flags)
    {
        var result = InContext("cuMemHostAlloc");
        if (result == 0)
        {
            Alive.Add(*address = (nint)NativeMemory.AlignedAlloc(bytes, 256), "pinned memory");
        }

        return result;
    }

    [UnmanagedCallersOnly]
    private static int MemFreeHost(nint address)
    {
        if (Alive.ContainsKey(address))
        {
            NativeMemory.AlignedFree((void*)address);
        }

        return Free("cuMemFreeHost", address, "pinned memory");
    }

    [UnmanagedCallersOnly]
    private static int CopyToDevice(void* target, void* source, nuint bytes, nint stream) => CopyBytes("cuMemcpyHtoDAsync", target, source, bytes, stream);

    [UnmanagedCallersOnly]
    private static int CopyToHost(void* target, void* source, nuint bytes, nint stream) => CopyBytes("cuMemcpyDtoHAsync", target, source, bytes, stream);

    [UnmanagedCallersOnly]
    private static int CopyOnDevice(void* target, void* source, nuint bytes, nint stream) => CopyBytes("cuMemcpyDtoDAsync", target, source, bytes, stream);

    [UnmanagedCallersOnly]
    private static int Memset(void* target, byte value, nuint bytes, nint stream)
    {
        NativeMemory.Fill(target, bytes, value);
        return OnStream("cuMemsetD8Async", stream);
    }

    [UnmanagedCallersOnly]
    private static int StreamCreate(nint* stream, uint flags) => Make("cuStreamCreate", stream, "stream");

    [UnmanagedCallersOnly]
    private static int StreamDestroy(nint stream) => Free("cuStreamDestroy", stream, "stream");

    [UnmanagedCallersOnly]
    private static int StreamSynchronize(nint stream) => OnStream("cuStreamSynchronize", stream);

    [UnmanagedCallersOnly]
    private static int BeginCapture(nint stream, int mode) => OnStream("cuStreamBeginCapture", stream);

    [UnmanagedCallersOnly]
    private static int EndCapture(nint stream, nint* graph)
    {
        OnStream("the end of a capture", stream);
        return Make("cuStreamEndCapture", graph, "graph");
    }

    [UnmanagedCallersOnly]
    private static int Instantiate(nint* executable, nint graph, ulong flags)
    {
        Require(Is(graph, "graph"), "cuGraphInstantiateWithFlags");
        return Make("cuGraphInstantiateWithFlags", executable, "executable graph");
    }

    [UnmanagedCallersOnly]
    private static int GraphLaunch(nint executable, nint stream)
    {
        Require(Is(executable, "executable graph"), "cuGraphLaunch");
        return OnStream("cuGraphLaunch", stream);
    }

    [UnmanagedCallersOnly]
    private static int GraphExecDestroy(nint executable) => Free("cuGraphExecDestroy", executable, "executable graph");

    [UnmanagedCallersOnly]
    private static int GraphDestroy(nint graph) => Free("cuGraphDestroy", graph, "graph");

    [UnmanagedCallersOnly]
    private static int EventCreate(nint* value, uint flags) => Make("cuEventCreate", value, "event");

    [UnmanagedCallersOnly]
    private static int EventRecord(nint value, nint stream)
    {
        Require(Is(value, "event"), "cuEventRecord");
        return OnStream("cuEventRecord", stream);
    }

    [UnmanagedCallersOnly]
    private static int EventSynchronize(nint value)
    {
        Require(Is(value, "event"), "cuEventSynchronize");
        return InContext("cuEventSynchronize");
    }

    [UnmanagedCallersOnly]
    private static int EventElapsedTime(float* milliseconds, nint start, nint end)
    {
        *milliseconds = 1.5f;
        return InContext("cuEventElapsedTime");
    }

    [UnmanagedCallersOnly]
    private static int EventDestroy(nint value) => Free("cuEventDestroy", value, "event");

    [UnmanagedCallersOnly]
    private static int ModuleLoad(nint* module, void* text, uint count, int* options, void** values)
    {
        System.Text.Encoding.UTF8.GetBytes(Log + '\0', new Span<byte>(values[0], (int)(nint)values[1]));
        return Make("cuModuleLoadDataEx", module, "module");
    }

    [UnmanagedCallersOnly]
    private static int ModuleUnload(nint module) => Free("cuModuleUnload", module, "module");

    [UnmanagedCallersOnly]
    private static int GetFunction(nint* function, nint module, byte* name)
    {
        Require(Is(module, "module"), "cuModuleGetFunction");
        *function = 88;
        return Note("cuModuleGetFunction");
    }

    [UnmanagedCallersOnly]
    private static int SetAttribute(nint function, int attribute, int value) => Note($"cuFuncSetAttribute {attribute} {value}");

    [UnmanagedCallersOnly]
    private static int LaunchKernel(nint function, uint x, uint y, uint z, uint threads, uint threadsY, uint threadsZ, uint shared, nint stream, void** parameters, void** extra)
    {
        Require(function == 88 && parameters is null && (nint)extra[0] == 1 && (nint)extra[2] == 2 && extra[4] is null, "cuLaunchKernel's arguments");
        LaunchedArguments = new ReadOnlySpan<byte>(extra[1], (int)*(nuint*)extra[3]).ToArray();
        OnStream($"launch {x}x{y}x{z} of {threads}x{threadsY}x{threadsZ} with {shared}", stream);
        return Note("cuLaunchKernel");
    }

    private static int CopyBytes(string call, void* target, void* source, nuint bytes, nint stream)
    {
        var result = OnStream(call, stream);
        if (result == 0)
        {
            NativeMemory.Copy(source, target, bytes);
        }

        return result;
    }

    private static int Make(string call, nint* handle, string kind)
    {
        var result = InContext(call);
        *handle = 0;
        if (result == 0)
        {
            Alive.Add(*handle = ++_lastHandle, kind);
        }

        return result;
    }

    private static int Free(string call, nint handle, string kind)
    {
        Require(Is(handle, kind) && Alive.Remove(handle), call);
        return InContext(call);
    }

    private static int OnStream(string call, nint stream)
    {
        Require(Is(stream, "stream"), call);
        return InContext(call);
    }

    private static int InContext(string call)
    {
        Require(_current == 77, call + " without a context");
        return Note(call);
    }

    private static int Note(string call)
    {
        Calls.Add(call);
        return Failures.GetValueOrDefault(call);
    }

    private static bool Is(nint handle, string kind) => Alive.TryGetValue(handle, out var alive) && alive.StartsWith(kind, StringComparison.Ordinal);

    private static void Require(bool holds, string call)
    {
        if (!holds)
        {
            Wrong.Add(call);
        }
    }

    private static int Set(int* target, int value, int result)
    {
        *target = value;
        return result;
    }

    // Never freed: as the driver's own names.
    private static int Text(byte** target, string text)
    {
        *target = (byte*)Marshal.StringToCoTaskMemUTF8(text);
        return 0;
    }
}
