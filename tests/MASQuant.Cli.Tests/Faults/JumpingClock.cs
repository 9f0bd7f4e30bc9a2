namespace MASQuant.Cli.Tests.Faults;

/// <summary>A clock that is read right until its n-th reading and from then on wrong by a jump.</summary>
/// <param name="first">The reading, from 1; 0 for none.</param>
/// <param name="jump">How far.</param>
internal sealed class JumpingClock(int first, TimeSpan jump) : TimeProvider
{
    /// <summary>How often it was read.</summary>
    public int Readings { get; private set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset();

    public override long GetTimestamp() => base.GetTimestamp() + (long)(Offset().TotalSeconds * TimestampFrequency);

    private TimeSpan Offset() => ++Readings >= first && first > 0 ? jump : TimeSpan.Zero;
}
