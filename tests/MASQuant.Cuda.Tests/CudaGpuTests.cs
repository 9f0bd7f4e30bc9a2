using MASQuant.Gemm.Cuda.Driver;

namespace MASQuant.Tests;

public class CudaGpuTests
{
    [CudaFact]
    public void TheDeviceKeepsWhatItIsGiven()
    {
        using var device = CudaDevice.Open(0);
        Assert.InRange(device.Multiprocessors, 1, 1000);
        var values = new byte[(2 * PinnedStaging.BufferBytes) + 12345];
        new Random(1).NextBytes(values);
        using var memory = device.Allocate(values.Length);
        using var copy = device.Allocate(values.Length);
        device.Write(memory.Pointer, values);
        using (var graph = device.Record(() => device.Copy(memory.Pointer, copy.Pointer, values.Length)))
        {
            graph.Launch();
        }

        var read = new byte[values.Length];
        device.Read(copy.Pointer, read);
        Assert.True(values.AsSpan().SequenceEqual(read));
    }
}
