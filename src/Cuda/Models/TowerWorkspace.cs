using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;

namespace MASQuant.Cuda.Models;

/// <summary>The intermediate results of a tower on a device for one medium of T rows. Given back when the medium is encoded.</summary>
internal sealed class TowerWorkspace : IDisposable
{
    private readonly ICudaDevice _device;
    private readonly DeviceTokens _tokens;
    private readonly List<IDeviceMemory> _memory = [];

    /// <summary>Makes room for T rows.</summary>
    /// <param name="device">Where the tower lies.</param>
    /// <param name="rows">T.</param>
    /// <param name="width">H.</param>
    /// <param name="heads">Heads of attention.</param>
    /// <param name="blocks">What the rows go through.</param>
    public TowerWorkspace(ICudaDevice device, int rows, int width, int heads, IEnumerable<DeviceTransformerBlock> blocks)
    {
        (_device, _tokens) = (device, new DeviceTokens(device));
        var padded = (long)heads * TowerKernels.PaddedHead(width / heads);
        DevicePointer Rows(long values) => Allocate(values * sizeof(float));
        Buffers = new PassBuffers(_tokens, Rows((long)rows * width), Rows((long)rows * width), Rows(blocks.Max(block => block.ProjectedValues(rows))), Rows((long)rows * width));
        Operands = new TowerHeads(Rows(rows * padded), Allocate(rows * padded * sizeof(ushort)), Allocate(rows * padded * sizeof(ushort)));
    }

    /// <summary>Where the results of steps lie.</summary>
    public PassBuffers Buffers { get; }

    /// <summary>Queries, keys and values in the kernels' order.</summary>
    public TowerHeads Operands { get; }

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
        _tokens.Reset(rows, weight.Inputs, DevicePointer.Null);
        _device.Launch(PrepareKernels.Tokens(x, weight.Inputs, rows, weight.Inputs, default, _tokens.Target(weight)));
        weight.Multiply(_device, _tokens, y, weight.Outputs);
    }

    /// <summary>The tiles of segments that begin and end at <paramref name="bounds"/>.</summary>
    public SegmentTiles UploadSegments(ReadOnlySpan<int> bounds)
    {
        var tiles = TowerKernels.Tiles(bounds);
        return new SegmentTiles(Upload<int>(tiles), tiles.Length / 4);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _tokens.Dispose();
        foreach (var memory in _memory)
        {
            memory.Dispose();
        }
    }
}
