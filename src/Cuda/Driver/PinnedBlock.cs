namespace MASQuant.Cuda.Driver;

/// <summary>Host memory that the device copies from and to without the processor's help.</summary>
internal sealed unsafe class PinnedBlock : ContextHandle
{
    private PinnedBlock(PrimaryContext context, nint address, int bytes)
        : base(context, address) => Bytes = bytes;

    public int Bytes { get; }

    public byte* Pointer => (byte*)Value;

    public static PinnedBlock Allocate(PrimaryContext context, int bytes)
    {
        nint address;
        context.MakeCurrent();
        context.Driver.Check(context.Driver.MemHostAlloc(&address, (nuint)bytes, 0));
        return new PinnedBlock(context, address, bytes);
    }

    protected override int Free() => Driver.MemFreeHost(handle);
}
