using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Checks;

/// <summary>Something that holds on every device.</summary>
/// <param name="Name">Tells it from all others.</param>
/// <param name="Run">Throws where it does not hold.</param>
public sealed record DeviceCheck(string Name, Action<ICudaDevice> Run);
