using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Driver;

/// <summary>Recorded work, ready to be queued as one.</summary>
internal sealed unsafe class DeviceGraph : ContextHandle, IDeviceGraph
{
    private readonly PrimaryContext _context;
    private readonly CudaStream _stream;

    private DeviceGraph(PrimaryContext context, CudaStream stream, nint executable)
        : base(context, executable) => (_context, _stream) = (context, stream);

    /// <summary>Makes what <paramref name="stream"/> has captured executable; the capture itself is given up.</summary>
    public static DeviceGraph Instantiate(PrimaryContext context, CudaStream stream, nint captured)
    {
        var driver = context.Driver;
        nint executable;
        var result = driver.GraphInstantiateWithFlags(&executable, captured, 0);
        var destroyed = driver.GraphDestroy(captured);
        driver.Check(result, "GraphInstantiateWithFlags()");
        var graph = new DeviceGraph(context, stream, executable);
        if (destroyed != DriverResult.Success)
        {
            graph.Dispose();
            driver.Check(destroyed, "GraphDestroy()");
        }

        return graph;
    }

    public void Launch()
    {
        _context.MakeCurrent();
        Driver.Check(Driver.GraphLaunch(Value, _stream.Value));
    }

    protected override int Free() => Driver.GraphExecDestroy(handle);
}
