namespace MASQuant.Engine.Tests.Models;

/// <summary>Gives its bytes a few at a time, as a connection does; over and over where it never ends.</summary>
internal sealed class DrippingStream(byte[] bytes, int most, bool endless = false) : Stream
{
    private int _at;

    /// <summary>How many bytes were given.</summary>
    public long Given { get; private set; }

    /// <summary>Called before each piece, with what was given so far.</summary>
    public Action<long>? Before { get; init; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        Before?.Invoke(Given);
        _at = endless && _at == bytes.Length ? 0 : _at;
        var count = Math.Min(Math.Min(most, buffer.Length), bytes.Length - _at);
        bytes.AsSpan(_at, count).CopyTo(buffer);
        (_at, Given) = (_at + count, Given + count);
        return count;
    }

    // Looks at no token, as many streams do.
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        return Read(buffer.Span);
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
