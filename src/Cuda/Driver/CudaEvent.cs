namespace MASQuant.Cuda.Driver;

/// <summary>A point in a stream's work that the host waits for, or measures times between.</summary>
public sealed unsafe class CudaEvent : ContextHandle
{
    private const uint DisableTiming = 2;

    private CudaEvent(PrimaryContext context, nint value)
        : base(context, value)
    {
    }

    /// <summary>An event that has not been recorded: waiting for it returns at once.</summary>
    public static CudaEvent Create(PrimaryContext context, bool timed)
    {
        nint value;
        context.MakeCurrent();
        context.Driver.Check(context.Driver.EventCreate(&value, timed ? 0 : DisableTiming));
        return new CudaEvent(context, value);
    }

    /// <summary>Marks the end of the work queued so far.</summary>
    public void Record(CudaStream stream) => Driver.Check(Driver.EventRecord(Value, stream.Value));

    /// <summary>Waits for the point last marked.</summary>
    public void Synchronize() => Driver.Check(Driver.EventSynchronize(Value));

    /// <summary>Milliseconds from this event, both timed and reached, to <paramref name="end"/>.</summary>
    public float MillisecondsTo(CudaEvent end)
    {
        float milliseconds;
        Driver.Check(Driver.EventElapsedTime(&milliseconds, Value, end.Value));
        return milliseconds;
    }

    protected override int Free() => Driver.EventDestroy(handle);
}
