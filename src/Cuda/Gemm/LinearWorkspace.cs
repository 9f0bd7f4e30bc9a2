using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>What the input groups of a device share: it, its gate, and room for the call at work. Buffers grow and are reused.</summary>
/// <param name="device">Where the groups are.</param>
/// <param name="gate">Held by whoever queues work on <paramref name="device"/>, or touches the buffers.</param>
internal sealed class LinearWorkspace(ICudaDevice device, Lock gate) : IDisposable
{
    public ICudaDevice Device => device;

    public Lock Gate => gate;

    /// <summary>X, [M, K] FP32.</summary>
    public DeviceBuffer Input { get; } = new(device);

    /// <summary>X as the kernels take it.</summary>
    public DeviceTokens Tokens { get; } = new(device);

    /// <summary>Y of one layer, [M, N] FP32.</summary>
    public DeviceBuffer Output { get; } = new(device);

    public void Dispose()
    {
        Input.Dispose();
        Tokens.Dispose();
        Output.Dispose();
    }
}
