namespace MASQuant.Cuda.Device;

/// <summary>A recorded sequence of launches, copies and clears that is queued as one. It reads and writes the same addresses every time.</summary>
public interface IDeviceGraph : IDisposable
{
    /// <summary>Queues the recorded work after the work queued before.</summary>
    void Launch();
}
