namespace MASQuant.Cuda.Driver;

/// <summary>An order of work that waits for no other stream.</summary>
public sealed unsafe class CudaStream : ContextHandle
{
    private const uint NonBlocking = 1;

    private CudaStream(PrimaryContext context, nint stream)
        : base(context, stream)
    {
    }

    public static CudaStream Create(PrimaryContext context)
    {
        nint stream;
        context.MakeCurrent();
        context.Driver.Check(context.Driver.StreamCreate(&stream, NonBlocking));
        return new CudaStream(context, stream);
    }

    protected override int Free() => Driver.StreamDestroy(handle);
}
