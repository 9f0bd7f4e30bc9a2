using TorchSharp;
using static TorchSharp.torch;

namespace MASQuant.Torch;

/// <summary>One thread for a routine whose bits depend on their number. Products do not: each of their sums is one thread's.</summary>
internal readonly struct LapackThreads : IDisposable
{
    private readonly int _before;

    private LapackThreads(int before) => _before = before;

    /// <summary>Until it is disposed of; nothing changes for other devices than the processor.</summary>
    public static LapackThreads One(Device device)
    {
        if (device.type != DeviceType.CPU)
        {
            return default;
        }

        var before = get_num_threads();
        set_num_threads(1);
        return new LapackThreads(before);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_before > 0)
        {
            set_num_threads(_before);
        }
    }
}
