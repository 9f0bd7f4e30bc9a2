using MASQuant.Cuda.Device;

namespace MASQuant.Bench.Cuda.Checks;

/// <summary>Something that holds on every device.</summary>
/// <param name="Name">Tells it from all others.</param>
/// <param name="Run">Throws where it does not hold.</param>
internal sealed record DeviceCheck(string Name, Action<ICudaDevice> Run);
