using System.Runtime.InteropServices;

namespace MASQuant.Cuda.Driver;

/// <summary>A device's primary context, which all CUDA users of the process share; released with its last reference, so after everything made in it.</summary>
public sealed unsafe class PrimaryContext : SafeHandle
{
    private readonly int _device;

    private PrimaryContext(DriverApi driver, int device, nint context)
        : base(0, ownsHandle: true)
    {
        (Driver, _device) = (driver, device);
        SetHandle(context);
    }

    public DriverApi Driver { get; }

    public override bool IsInvalid => handle == 0;

    /// <summary>Takes a reference on the context of a device.</summary>
    public static PrimaryContext Retain(DriverApi driver, int device)
    {
        nint context;
        driver.Check(driver.DevicePrimaryCtxRetain(&context, device));
        return new PrimaryContext(driver, device, context);
    }

    /// <summary>Makes this the calling thread's context: contexts belong to threads, and work may move from one to another.</summary>
    public void MakeCurrent()
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        Driver.Check(Driver.CtxSetCurrent(handle));
    }

    /// <summary>As <see cref="MakeCurrent"/>, while handles made in the context are released: then the context lives, whether disposed or not.</summary>
    public bool TryMakeCurrent() => Driver.CtxSetCurrent(handle) == DriverResult.Success;

    protected override bool ReleaseHandle() => Driver.DevicePrimaryCtxRelease(_device) == DriverResult.Success;
}
