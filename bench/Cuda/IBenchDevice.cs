using MASQuant.Cuda.Device;

namespace MASQuant.Bench.Cuda;

/// <summary>The device that is measured, and its clock.</summary>
internal interface IBenchDevice
{
    /// <summary>Where the work runs.</summary>
    ICudaDevice Device { get; }

    /// <summary>What the maker calls it.</summary>
    string ProductName { get; }

    /// <summary>The driver, as figures name it.</summary>
    string Driver { get; }

    /// <summary>What measurements must exceed to read memory rather than cache.</summary>
    long L2CacheBytes { get; }

    /// <summary>The most device memory that was held at once since <see cref="StartPeak"/>.</summary>
    long PeakBytes { get; }

    /// <summary>Begins <see cref="PeakBytes"/> anew.</summary>
    void StartPeak();

    /// <summary>Runs recorded work and tells how long the device took.</summary>
    double Milliseconds(IDeviceGraph work);
}
