namespace MASQuant.Engine.Execution;

/// <summary>Counts who uses a resource, and releases it when it has been ended and the last user has left (rundown protection). A use begins and ends on one thread.</summary>
/// <param name="name">What an <see cref="ObjectDisposedException"/> calls the resource.</param>
/// <param name="require">Throws where a use cannot begin.</param>
/// <param name="release">Frees the resource; called once, when no use is in progress and none can begin.</param>
public sealed class UserCount(string name, Action require, Action release)
{
    private readonly object _gate = new();

    // The thread of each use in progress.
    private readonly List<int> _threads = [];

    // Has no timer and no wait handle, so there is nothing to dispose.
    private readonly CancellationTokenSource _ending = new();
    private bool _ended;
    private bool _released;

    /// <summary>Begins a use, which ends when the result is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The resource has been ended.</exception>
    public Use Enter()
    {
        var use = TryEnter(out var begun) ? begun : throw Ended();
        try
        {
            require();
            return use;
        }
        catch
        {
            use.Dispose();
            throw;
        }
    }

    /// <summary>Begins a use that requires nothing, unless the resource has been ended.</summary>
    public bool TryEnter(out Use use)
    {
        lock (_gate)
        {
            if (_ended)
            {
                use = default;
                return false;
            }

            _threads.Add(Environment.CurrentManagedThreadId);
            use = new Use(this);
            return true;
        }
    }

    /// <summary>Runs a use that is cancelled when the resource is ended.</summary>
    /// <param name="run">Gets a token that is cancelled by <paramref name="cancellationToken"/> and by the end.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <exception cref="ObjectDisposedException">The resource has been ended, before or meanwhile.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> has been cancelled.</exception>
    public T Run<T>(Func<CancellationToken, T> run, CancellationToken cancellationToken)
    {
        using var use = Enter();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ending.Token);
        try
        {
            return run(either.Token);
        }
        catch (OperationCanceledException error) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(error.Message, error, cancellationToken);
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            throw Ended();
        }
    }

    /// <inheritdoc cref="Run{T}"/>
    public void Run(Action<CancellationToken> run, CancellationToken cancellationToken) => Run(
        token =>
        {
            run(token);
            return true;
        },
        cancellationToken);

    /// <summary>Refuses further uses, cancels those in progress and returns when the last has ended and the resource is released. Called from within a use, it does not wait: that use's end releases. May be called again, and by several threads.</summary>
    public void End()
    {
        bool isFirst, isUnused;
        lock (_gate)
        {
            isFirst = !_ended;
            _ended = true;
            isUnused = _threads.Count == 0;
        }

        if (isFirst)
        {
            _ending.Cancel();
            if (isUnused)
            {
                Release();
                return;
            }
        }

        lock (_gate)
        {
            while (!_released && !_threads.Contains(Environment.CurrentManagedThreadId))
            {
                Monitor.Wait(_gate);
            }
        }
    }

    private void Leave()
    {
        lock (_gate)
        {
            _threads.Remove(Environment.CurrentManagedThreadId);
            if (!_ended || _threads.Count > 0)
            {
                return;
            }
        }

        Release();
    }

    private void Release()
    {
        try
        {
            release();
        }
        finally
        {
            lock (_gate)
            {
                _released = true;
                Monitor.PulseAll(_gate);
            }
        }
    }

    private ObjectDisposedException Ended() => new(name);

    /// <summary>A use in progress.</summary>
    public readonly struct Use : IDisposable
    {
        private readonly UserCount _count;

        internal Use(UserCount count) => _count = count;

        /// <summary>Ends it.</summary>
        public void Dispose() => _count.Leave();
    }
}
