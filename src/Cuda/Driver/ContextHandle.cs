using System.Runtime.InteropServices;

namespace MASQuant.Cuda.Driver;

/// <summary>Something that the driver made in a context, freed once, and before the context is.</summary>
public abstract class ContextHandle : SafeHandle
{
    private readonly PrimaryContext _context;

    protected ContextHandle(PrimaryContext context, nint value)
        : base(0, ownsHandle: true)
    {
        var added = false;
        _context = context;
        context.DangerousAddRef(ref added);
        SetHandle(value);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>The driver's handle.</summary>
    /// <exception cref="ObjectDisposedException">It has been freed.</exception>
    public nint Value
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    protected DriverApi Driver => _context.Driver;

    /// <summary>Frees <see cref="SafeHandle.handle"/>; the context is current.</summary>
    protected abstract int Free();

    protected sealed override bool ReleaseHandle()
    {
        var freed = _context.TryMakeCurrent() && Free() == DriverResult.Success;
        _context.DangerousRelease();
        return freed;
    }
}
