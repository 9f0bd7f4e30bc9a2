using MASQuant.Configuration;
using MASQuant.Gemm.Cuda;
using MASQuant.Layers;

namespace MASQuant.Models.Device;

/// <summary>The keys and values of a sequence on a device, [capacity, key heads · d] BF16 each per block. Grows by doubling; growing moves it.</summary>
internal sealed class DeviceKvCache(ICudaDevice device, TextConfig config) : IDisposable
{
    private const int FirstCapacity = 256;
    private readonly IDeviceMemory?[] _layers = new IDeviceMemory?[config.Layers];
    private readonly long _rowBytes = (long)config.KeyValueHeads * config.HeadSize * sizeof(ushort);

    /// <summary>The number of tokens held.</summary>
    public int Length { get; set; }

    /// <summary>The number of tokens that fit.</summary>
    public int Capacity { get; private set; }

    /// <summary>The keys of a block.</summary>
    public DevicePointer Keys(int layer) => _layers[layer]!.Pointer;

    /// <summary>The values of a block.</summary>
    public DevicePointer Values(int layer) => _layers[layer]!.Pointer + (Capacity * _rowBytes);

    /// <summary>Makes room for <paramref name="tokens"/> more, and for <paramref name="padding"/> rows behind them that are written but never read; true when the cache has moved.</summary>
    /// <exception cref="Diagnostics.MasQuantException">MASQ0921 the model has no positions for them; MASQ1004 too little memory.</exception>
    public bool Reserve(int tokens, int padding)
    {
        KvCache.RequireRoom((long)Length + tokens, config.MaxPositions);
        var needed = checked(Length + tokens + padding);
        if (needed <= Capacity)
        {
            return false;
        }

        var capacity = Math.Max(needed, Math.Max(FirstCapacity, 2 * Capacity));
        for (var layer = 0; layer < _layers.Length; layer++)
        {
            Grow(layer, capacity);
        }

        Capacity = capacity;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layer in _layers)
        {
            layer?.Dispose();
        }
    }

    private void Grow(int layer, int capacity)
    {
        var grown = device.Allocate(2 * capacity * _rowBytes);
        if (Length > 0)
        {
            device.Copy(Keys(layer), grown.Pointer, Length * _rowBytes);
            device.Copy(Values(layer), grown.Pointer + (capacity * _rowBytes), Length * _rowBytes);
        }

        _layers[layer]?.Dispose();
        _layers[layer] = grown;
    }
}
