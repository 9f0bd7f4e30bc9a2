using MASQuant.Engine.Execution;

namespace MASQuant.Engine.Tests.Lifetime;

public sealed class UserCountTests
{
    private readonly UserCount _users;
    private int _releases;

    public UserCountTests() => _users = new UserCount("thing", () => { }, () => _releases++);

    [Fact]
    public void The_end_without_users_releases_once()
    {
        _users.Enter().Dispose();
        _users.End();
        _users.End();

        Assert.Equal(1, _releases);
        Assert.Equal("thing", Assert.Throws<ObjectDisposedException>(() => _users.Enter()).ObjectName);
        Assert.False(_users.TryEnter(out _));
    }

    [Fact]
    public void The_end_from_within_a_use_does_not_wait_for_it()
    {
        var outer = _users.Enter();
        var inner = _users.Enter();
        _users.End();
        Assert.Equal(0, _releases);

        inner.Dispose();
        Assert.Equal(0, _releases);
        outer.Dispose();
        Assert.Equal(1, _releases);
    }

    [Fact]
    public async Task The_end_cancels_a_use_of_another_thread_and_returns_after_it()
    {
        using var begun = new ManualResetEventSlim();
        var releasesSeen = -1;
        var use = Task.Run(() => _users.Run(token =>
        {
            begun.Set();
            token.WaitHandle.WaitOne();
            releasesSeen = _releases;
            token.ThrowIfCancellationRequested();
        }, default));
        begun.Wait();
        await Task.WhenAll(Task.Run(_users.End), Task.Run(_users.End));

        Assert.Equal((0, 1), (releasesSeen, _releases));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => use);
    }

    [Fact]
    public void The_callers_cancellation_is_the_callers()
    {
        using var cancellation = new CancellationTokenSource();
        var error = Assert.Throws<OperationCanceledException>(() => _users.Run(token =>
        {
            cancellation.Cancel();
            token.ThrowIfCancellationRequested();
        }, cancellation.Token));

        Assert.Equal(cancellation.Token, error.CancellationToken);
        _users.End();
        Assert.Equal(1, _releases);
    }

    [Fact]
    public void A_use_whose_requirement_fails_has_not_begun()
    {
        var releases = 0;
        var users = new UserCount("thing", () => throw new InvalidOperationException(), () => releases++);
        Assert.Throws<InvalidOperationException>(() => users.Enter());
        users.End();
        Assert.Equal(1, releases);
    }
}
