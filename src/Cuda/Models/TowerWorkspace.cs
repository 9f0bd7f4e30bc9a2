using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;

namespace MASQuant.Cuda.Models;

/// <summary>The intermediate results of a tower on a device for one medium of T rows, and the steps that both towers share. Given back when the medium is encoded.</summary>
internal sealed class TowerWorkspace : IDisposable
{
    private readonly ICudaDevice _device;
    private readonly List<IDeviceMemory> _memory = [];
    private readonly int _heads;
    private readonly int _headSize;
    private readonly TowerHeads _operands;

    /// <summary>Makes room for T rows.</summary>
    /// <param name="device">Where the tower lies.</param>
    /// <param name="rows">T.</param>
    /// <param name="width">H.</param>
    /// <param name="inner">The outputs of the widest layer inside a block's MLP.</param>
    /// <param name="heads">Heads of attention.</param>
    public TowerWorkspace(ICudaDevice device, int rows, int width, int inner, int heads)
    {
        (_device, _heads, _headSize) = (device, heads, width / heads);
        Tokens = new DeviceTokens(device);
        var padded = (long)heads * TowerKernels.PaddedHead(_headSize);
        Hidden = Allocate((long)rows * width * sizeof(float));
        Branch = Allocate((long)rows * width * sizeof(float));
        Attended = Allocate((long)rows * width * sizeof(float));
        Qkv = Allocate(3L * rows * width * sizeof(float));
        Inner = Allocate((long)rows * inner * sizeof(float));
        _operands = new TowerHeads(Allocate(rows * padded * sizeof(float)), Allocate(rows * padded * sizeof(ushort)), Allocate(rows * padded * sizeof(ushort)));
    }

    /// <summary>The prepared input of the layer at work.</summary>
    public DeviceTokens Tokens { get; }

    /// <summary>The residual stream, [T, H] FP32.</summary>
    public DevicePointer Hidden { get; }

    /// <summary>What is yet to be added to <see cref="Hidden"/>, [T, H] FP32.</summary>
    public DevicePointer Branch { get; }

    /// <summary>What attention gives, [T, H] FP32.</summary>
    public DevicePointer Attended { get; }

    /// <summary>Queries, keys and values, [T, 3 · H] FP32.</summary>
    public DevicePointer Qkv { get; }

    /// <summary>Inside the MLP, [T, inner] FP32.</summary>
    public DevicePointer Inner { get; }

    /// <summary>Memory that goes with the rest.</summary>
    public DevicePointer Allocate(long bytes)
    {
        _memory.Add(_device.Allocate(bytes));
        return _memory[^1].Pointer;
    }

    /// <summary>Memory with values.</summary>
    public DevicePointer Upload<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        var target = Allocate(Math.Max(1L, (long)values.Length * Unsafe.SizeOf<T>()));
        _device.Write(target, MemoryMarshal.AsBytes(values));
        return target;
    }

    /// <summary>Memory with the values of a matrix.</summary>
    public DevicePointer Upload(Matrix values) => Upload<float>(values.Span);

    /// <summary>y = x · Wᵀ + bias of rows as they are.</summary>
    public void Multiply(DeviceWeight weight, DevicePointer x, int rows, DevicePointer y)
    {
        Tokens.Reset(rows, weight.Inputs, DevicePointer.Null);
        _device.Launch(PrepareKernels.Tokens(x, weight.Inputs, rows, weight.Inputs, default, Tokens.Target(weight)));
        weight.Multiply(_device, Tokens, y, weight.Outputs);
    }

    /// <summary>Attention within segments: queries, keys and values of the prepared rows, and the projection of what they give into <see cref="Branch"/>.</summary>
    public void Attend(DeviceWeight qkv, DeviceWeight output, int rows, DevicePointer angles, (DevicePointer Tiles, int Count) segments)
    {
        qkv.Multiply(_device, Tokens, Qkv, qkv.Outputs);
        _device.Launch(TowerKernels.Split(Qkv, qkv.Outputs, _heads, _headSize, angles, rows, _operands));
        _device.Launch(TowerKernels.Attend(_operands, _heads, _headSize, segments.Tiles, segments.Count, Attended));
        Multiply(output, Attended, rows, Branch);
    }

    /// <summary>GELU of the rows in <see cref="Inner"/>, then a layer.</summary>
    public void MultiplyGelu(DeviceWeight weight, int rows, DevicePointer y)
    {
        Tokens.Reset(rows, weight.Inputs, DevicePointer.Null);
        _device.Launch(TowerKernels.Gelu(Inner, rows, weight.Inputs, Tokens.Smoothed.Rows));
        weight.Multiply(_device, Tokens, y, weight.Outputs);
    }

    /// <summary>The tiles of segments that begin and end at <paramref name="bounds"/>.</summary>
    public (DevicePointer Tiles, int Count) UploadSegments(ReadOnlySpan<int> bounds)
    {
        var tiles = TowerKernels.Tiles(bounds);
        return (Upload<int>(tiles), tiles.Length / 4);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Tokens.Dispose();
        foreach (var memory in _memory)
        {
            memory.Dispose();
        }
    }
}
