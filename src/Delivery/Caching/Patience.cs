namespace MASQuant.Delivery.Caching;

/// <summary>Cancels a transfer that stands still for a timeout, or that as a whole is slower than is worth waiting for.</summary>
internal sealed class Patience : IDisposable
{
    // Slower than this, quantizing again is no worse.
    private const double MinBytesPerSecond = 1 << 16;

    private readonly CancellationTokenSource _whole;
    private readonly CancellationTokenSource _standstill;
    private readonly TimeSpan _timeout;

    public Patience(TimeSpan timeout, long bytes, CancellationToken cancellationToken)
    {
        _timeout = timeout;
        _whole = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _standstill = CancellationTokenSource.CreateLinkedTokenSource(_whole.Token);

        // At most what a timer can hold, 49 days.
        _whole.CancelAfter(TimeSpan.FromMilliseconds(Math.Min((timeout + TimeSpan.FromSeconds(bytes / MinBytesPerSecond)).TotalMilliseconds, uint.MaxValue - 1)));
        _standstill.CancelAfter(timeout);
    }

    /// <summary>Cancelled when patience ends.</summary>
    public CancellationToken Token => _standstill.Token;

    /// <summary>Something moved.</summary>
    public void Renew()
    {
        if (!_standstill.IsCancellationRequested)
        {
            _standstill.CancelAfter(_timeout);
        }
    }

    public void Dispose()
    {
        _standstill.Dispose();
        _whole.Dispose();
    }
}
