namespace MASQuant.Delivery.Caching;

/// <summary>Cancels a transfer that stands still or creeps: in every stretch of a timeout, bytes must come as fast as is worth waiting for. How much there is to come, which the other side says, gives it no more time.</summary>
internal sealed class Patience : IDisposable
{
    // Slower than this, quantizing again is no worse.
    private const double MinBytesPerSecond = 1 << 16;

    private readonly CancellationTokenSource _source;
    private readonly TimeSpan _timeout;
    private double _missing;

    public Patience(TimeSpan timeout, CancellationToken cancellationToken)
    {
        _timeout = timeout;
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Renew();
    }

    /// <summary>Cancelled when patience ends.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>A step was taken, such as an answer's head: another timeout begins.</summary>
    public void Renew()
    {
        if (!_source.IsCancellationRequested)
        {
            _missing = MinBytesPerSecond * _timeout.TotalSeconds;
            _source.CancelAfter(_timeout);
        }
    }

    /// <summary>So many bytes moved: another timeout begins when they are enough for the last.</summary>
    public void Moved(int bytes)
    {
        _missing -= bytes;
        if (_missing <= 0)
        {
            Renew();
        }
    }

    public void Dispose() => _source.Dispose();
}
