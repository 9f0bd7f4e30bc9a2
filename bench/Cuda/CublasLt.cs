using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Driver;

namespace MASQuant.Bench.Cuda;

/// <summary>NVIDIA's own products, where the library is at hand: heuristics and a workspace of 32 MiB. Y[M, N] = X[M, K] · W[N, K]ᵀ, row-major.</summary>
internal sealed unsafe class CublasLt : IProductLibrary, IDisposable
{
    private const long WorkspaceBytes = 32L << 20;
    private const int TransposeA = 3; // CUBLASLT_MATMUL_DESC_TRANSA
    private const int MaxWorkspace = 1; // CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES
    private const int HeuristicBytes = 96; // algorithm 64, workspace 8, state 4, waves 4, reserved 16
    private static readonly string[] Names = OperatingSystem.IsWindows()
        ? ["cublasLt64_13.dll", "cublasLt64_12.dll", "cublasLt64_11.dll"]
        : ["libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11", "libcublasLt.so"];

    private readonly CudaDevice _device;
    private readonly nint _library;
    private readonly nint _handle;
    private readonly IDeviceMemory _workspace;

    private CublasLt(CudaDevice device, nint library)
    {
        (_device, _library) = (device, library);
        Name = FormattableString.Invariant($"cuBLASLt {((delegate* unmanaged<nuint>)Find("cublasLtGetVersion"))()}");
        nint handle;
        device.Context.MakeCurrent();
        Check(((delegate* unmanaged<nint*, int>)Find("cublasLtCreate"))(&handle));
        _handle = handle;
        _workspace = device.Allocate(WorkspaceBytes);
    }

    public string Name { get; }

    /// <summary>The library, from where the system finds it or MASQUANT_CUBLASLT names it; null without it.</summary>
    public static CublasLt? TryOpen(CudaDevice device)
    {
        string?[] names = [Environment.GetEnvironmentVariable("MASQUANT_CUBLASLT"), .. Names];
        foreach (var name in names)
        {
            if (name is not null && NativeLibrary.TryLoad(name, out var library))
            {
                return new CublasLt(device, library);
            }
        }

        return null;
    }

    public Action<DevicePointer, DevicePointer, DevicePointer>? Product(ProductKind kind, int tokens, int outputs, int inputs)
    {
        // CUDA_R_8I 3, _32I 10, _16BF 14, _32F 0; CUBLAS_COMPUTE_32I 72, _32F 68.
        var (element, output, compute, scale) = kind switch
        {
            ProductKind.Int8 => (3, 10, 72, 10),
            ProductKind.BFloat16 => (14, 14, 68, 0),
            _ => (14, 0, 68, 0),
        };
        nint description, a, b, c, preference;
        Check(((delegate* unmanaged<nint*, int, int, int>)Find("cublasLtMatmulDescCreate"))(&description, compute, scale));
        var transposed = 1;
        Check(((delegate* unmanaged<nint, int, void*, nuint, int>)Find("cublasLtMatmulDescSetAttribute"))(description, TransposeA, &transposed, sizeof(int)));
        var layout = (delegate* unmanaged<nint*, int, ulong, ulong, long, int>)Find("cublasLtMatrixLayoutCreate");
        Check(layout(&a, element, (ulong)inputs, (ulong)outputs, inputs));
        Check(layout(&b, element, (ulong)inputs, (ulong)tokens, inputs));
        Check(layout(&c, output, (ulong)outputs, (ulong)tokens, outputs));
        Check(((delegate* unmanaged<nint*, int>)Find("cublasLtMatmulPreferenceCreate"))(&preference));
        var workspace = (ulong)WorkspaceBytes;
        Check(((delegate* unmanaged<nint, int, void*, nuint, int>)Find("cublasLtMatmulPreferenceSetAttribute"))(preference, MaxWorkspace, &workspace, sizeof(ulong)));
        var heuristic = (byte*)NativeMemory.AllocZeroed(HeuristicBytes); // Kept: a few hundred bytes in a program of minutes.
        int found;
        var status = ((delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint, int, void*, int*, int>)Find("cublasLtMatmulAlgoGetHeuristic"))(
            _handle, description, a, b, c, c, preference, 1, heuristic, &found);
        if (status != 0 || found == 0)
        {
            return null;
        }

        var (function, algorithm) = (Find("cublasLtMatmul"), (nint)heuristic);
        var (product, weights, input, sums) = (description, a, b, c); // Copies: locals whose address is taken cannot be captured.
        return (weight, x, y) =>
        {
            var one = kind == ProductKind.Int8 ? 1 : BitConverter.SingleToInt32Bits(1);
            var kept = kind == ProductKind.Accumulate ? one : 0;
            Check(((delegate* unmanaged<nint, nint, void*, ulong, nint, ulong, nint, void*, ulong, nint, ulong, nint, nint, ulong, nuint, nint, int>)function)(
                _handle, product, &one, weight.Address, weights, x.Address, input, &kept, y.Address, sums, y.Address, sums, algorithm,
                _workspace.Pointer.Address, (nuint)WorkspaceBytes, _device.Stream.Value));
        };
    }

    public void Dispose()
    {
        _device.Context.MakeCurrent();
        _ = ((delegate* unmanaged<nint, int>)Find("cublasLtDestroy"))(_handle);
        _workspace.Dispose();
    }

    private nint Find(string name) => NativeLibrary.GetExport(_library, name);

    private static void Check(int status)
    {
        if (status != 0)
        {
            throw new InvalidOperationException($"cuBLASLt answered {status}.");
        }
    }
}
