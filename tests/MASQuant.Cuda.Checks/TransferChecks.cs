using MASQuant.Cuda.Device;
using MASQuant.Cuda.Driver;

namespace MASQuant.Cuda.Checks;

/// <summary>What goes to the device comes back, also through a recorded copy, past both staging buffers.</summary>
internal static class TransferChecks
{
    public static IReadOnlyList<DeviceCheck> All { get; } = [new("transfer: written, copied by a graph, read", Check)];

    private static void Check(ICudaDevice device)
    {
        var values = new byte[(2 * PinnedStaging.BufferBytes) + 12345];
        new Random(1).NextBytes(values);
        using var memory = new DeviceArray<byte>(device, values);
        using var copy = new DeviceArray<byte>(device, new byte[values.Length]);
        using (var graph = device.Record(() => device.Copy(memory.Pointer, copy.Pointer, values.Length)))
        {
            graph.Launch();
        }

        Require.Equal<byte>(values, copy.Read(), "bytes");
    }
}
