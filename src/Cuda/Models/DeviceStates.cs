using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Formats.Models;

namespace MASQuant.Cuda.Models;

/// <summary>What layers of the delta rule keep of sequences on a device, in place of keys and values: per block the windows of all sequences, then their states, FP32. Which of them count nothing yet, the number of a sequence's tokens says.</summary>
internal sealed class DeviceStates : IDisposable
{
    private readonly ICudaDevice _device;
    private readonly (long Window, long State)[] _sizes;
    private readonly IDeviceMemory?[] _layers;
    private int _sequences;

    /// <summary>No sequences yet.</summary>
    public DeviceStates(ICudaDevice device, DecoderDescription description)
    {
        _device = device;
        _sizes = [.. description.Blocks.Select(block => (block.Steps.OfType<ConvolveStep>().Sum(StateKernels.WindowValues), block.Steps.OfType<DeltaRuleStep>().Sum(StateKernels.StateValues)))];
        _layers = new IDeviceMemory?[_sizes.Length];
    }

    /// <summary>The first sequence's window in a block.</summary>
    public DevicePointer Window(int layer) => _layers[layer]!.Pointer;

    /// <summary>The first sequence's state in a block.</summary>
    public DevicePointer State(int layer) => StateOf(_layers[layer]!, layer, _sequences);

    /// <summary>Makes room for so many sequences.</summary>
    /// <exception cref="MASQuantException">MASQ1004: too little memory.</exception>
    public void Reserve(int sequences)
    {
        if (sequences <= _sequences)
        {
            return;
        }

        for (var layer = 0; layer < _layers.Length; layer++)
        {
            var (window, state) = _sizes[layer];
            if (window + state == 0)
            {
                continue;
            }

            var grown = _device.Allocate(checked(sequences * (window + state) * sizeof(float)));
            if (_layers[layer] is { } before)
            {
                _device.Copy(before.Pointer, grown.Pointer, _sequences * window * sizeof(float));
                _device.Copy(StateOf(before, layer, _sequences), StateOf(grown, layer, sequences), _sequences * state * sizeof(float));
                before.Dispose();
            }

            _layers[layer] = grown;
        }

        _sequences = sequences;
    }

    /// <summary>Copies a sequence of <paramref name="source"/>, which may be this, to another.</summary>
    public void Copy(DeviceStates source, int from, int to)
    {
        for (var layer = 0; layer < _layers.Length; layer++)
        {
            var (window, state) = (_sizes[layer].Window * sizeof(float), _sizes[layer].State * sizeof(float));
            if (_layers[layer] is not null)
            {
                _device.Copy(source.Window(layer) + (from * window), Window(layer) + (to * window), window);
                _device.Copy(source.State(layer) + (from * state), State(layer) + (to * state), state);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layer in _layers)
        {
            layer?.Dispose();
        }
    }

    private DevicePointer StateOf(IDeviceMemory memory, int layer, int sequences) => memory.Pointer + (sequences * _sizes[layer].Window * sizeof(float));
}
