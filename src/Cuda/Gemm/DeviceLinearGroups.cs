using MASQuant.Cuda.Device;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Gemm;

/// <summary>Quantized input groups on a device: each is copied there when it is made, and stays until this is disposed.</summary>
/// <param name="device">Receives the groups; not owned.</param>
/// <param name="gate">Held by whoever queues work on <paramref name="device"/>.</param>
public sealed class DeviceLinearGroups(ICudaDevice device, Lock gate) : ILinearGroups, IDisposable
{
    private readonly LinearWorkspace _workspace = new(device, gate);
    private readonly List<DeviceLinearGroup> _groups = [];
    private bool _disposed;

    /// <inheritdoc/>
    /// <exception cref="MASQuantException">MASQ0501 a shape that the kernels do not take, MASQ1004 too little memory, MASQ1006, MASQ1007 the driver refuses.</exception>
    public ILinearGroup Create(IReadOnlyList<QuantizedWeight> weights, InputTransform input)
    {
        lock (_workspace.Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var group = new DeviceLinearGroup(_workspace, weights, input);
            _groups.Add(group);
            return group;
        }
    }

    /// <summary>Frees the memory of all groups, which compute no more.</summary>
    public void Dispose()
    {
        lock (_workspace.Gate)
        {
            _disposed = true;
            _groups.ForEach(group => group.Dispose());
            _workspace.Dispose();
        }
    }
}
