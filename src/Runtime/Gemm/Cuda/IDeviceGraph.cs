namespace MASQuant.Gemm.Cuda;

/// <summary>A recorded sequence of launches, copies and clears that is queued as one. It reads and writes the same addresses every time.</summary>
internal interface IDeviceGraph : IDisposable
{
    /// <summary>Queues the recorded work after the work queued before.</summary>
    void Launch();
}
