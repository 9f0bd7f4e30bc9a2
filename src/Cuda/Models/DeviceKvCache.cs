using MASQuant.Cuda.Device;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;

namespace MASQuant.Cuda.Models;

/// <summary>What sequences leave on a device: keys and values, [sequences, capacity, key heads · d] BF16 each per block that attends, and the states of the others. Grows by doubling; growing moves it.</summary>
public sealed class DeviceKvCache(ICudaDevice device, DecoderDescription description, int sequences = 1) : IDisposable
{
    private const int FirstCapacity = 256;
    private readonly IDeviceMemory?[] _layers = new IDeviceMemory?[description.Blocks.Count];
    private readonly int[] _attending = [.. description.Blocks.Index().Where(block => block.Item.Steps.Any(step => step is AttendStep)).Select(block => block.Index)];
    private readonly long _rowBytes = (long)description.Config.KeyValueHeads * description.Config.HeadSize * sizeof(ushort);
    private int _sequences = sequences;

    /// <summary>The number of tokens held, of the longest sequence.</summary>
    public int Length { get; set; }

    /// <summary>Changes whenever the cache has moved: recorded work reads the old place.</summary>
    public int Generation { get; private set; }

    /// <summary>The number of tokens of a sequence that fit.</summary>
    public int Capacity { get; private set; }

    /// <summary>The states of blocks that have one.</summary>
    internal DeviceStates States { get; } = new(device, description);

    /// <summary>Values from one sequence to the next.</summary>
    public long SequenceValues => Capacity * _rowBytes / sizeof(ushort);

    /// <summary>The keys of a block.</summary>
    public DevicePointer Keys(int layer) => _layers[layer]!.Pointer;

    /// <summary>The values of a block.</summary>
    public DevicePointer Values(int layer) => _layers[layer]!.Pointer + (_sequences * Capacity * _rowBytes);

    /// <summary>Makes room for <paramref name="tokens"/> more, and for <paramref name="padding"/> rows behind them that are written but never read.</summary>
    /// <exception cref="MASQuantException">MASQ0921 the model has no positions for them; MASQ1004 too little memory.</exception>
    public void Reserve(int tokens, int padding)
    {
        KvCache.RequireRoom((long)Length + tokens, description.Config.MaxPositions);
        var needed = checked(Length + tokens + padding);
        if (needed > Capacity)
        {
            Grow(Math.Max(needed, Math.Max(FirstCapacity, 2 * Capacity)), _sequences);
        }
    }

    /// <summary>Makes room for so many sequences.</summary>
    /// <exception cref="MASQuantException">MASQ1004: too little memory.</exception>
    public void ReserveSequences(int sequences)
    {
        if (sequences > _sequences)
        {
            Grow(Capacity, sequences);
        }
    }

    /// <summary>Copies the first <paramref name="tokens"/> tokens of a sequence of <paramref name="source"/>, which may be this cache, to another sequence.</summary>
    public void Copy(DeviceKvCache source, int from, int to, int tokens)
    {
        States.Copy(source.States, from, to);
        foreach (var layer in _attending)
        {
            device.Copy(source.Keys(layer) + (from * source.Capacity * _rowBytes), Keys(layer) + (to * Capacity * _rowBytes), tokens * _rowBytes);
            device.Copy(source.Values(layer) + (from * source.Capacity * _rowBytes), Values(layer) + (to * Capacity * _rowBytes), tokens * _rowBytes);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        States.Dispose();
        foreach (var layer in _layers)
        {
            layer?.Dispose();
        }
    }

    private void Grow(int capacity, int sequences)
    {
        States.Reserve(sequences);
        foreach (var layer in capacity > 0 ? _attending : [])
        {
            var grown = device.Allocate(2 * sequences * capacity * _rowBytes);
            for (var sequence = 0; sequence < _sequences && Length > 0; sequence++)
            {
                device.Copy(Keys(layer) + (sequence * Capacity * _rowBytes), grown.Pointer + (sequence * capacity * _rowBytes), Length * _rowBytes);
                device.Copy(Values(layer) + (sequence * Capacity * _rowBytes), grown.Pointer + ((sequences + sequence) * capacity * _rowBytes), Length * _rowBytes);
            }

            _layers[layer]?.Dispose();
            _layers[layer] = grown;
        }

        (Capacity, _sequences) = (capacity, sequences);
        Generation++;
    }
}
