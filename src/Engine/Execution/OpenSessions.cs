using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;

namespace MASQuant.Engine.Execution;

/// <summary>The sessions of a model. Each call of one is a use of the model; between calls none is in progress, so that whoever reads an answer may dispose the model.</summary>
/// <param name="users">The model's.</param>
internal sealed class OpenSessions(UserCount users)
{
    private readonly UserCount _users = users;
    private readonly HashSet<IDecoderSession> _open = [];

    /// <summary>Begins a session.</summary>
    /// <param name="begin">Gives what the session runs on.</param>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public IDecoderSession Begin(Func<IDecoderSession> begin)
    {
        using var use = _users.Enter();
        var session = begin();
        lock (_open)
        {
            _open.Add(session);
        }

        return new CountedSession(this, session);
    }

    /// <summary>Ends the sessions that are left, when no use is in progress: an enumeration may never be ended.</summary>
    public void End()
    {
        foreach (var session in _open)
        {
            session.Dispose();
        }
    }

    // Where the model has been ended, the session goes with it.
    private void End(IDecoderSession session)
    {
        if (!_users.TryEnter(out var use))
        {
            return;
        }

        using (use)
        {
            bool isOpen;
            lock (_open)
            {
                isOpen = _open.Remove(session);
            }

            if (isOpen)
            {
                session.Dispose();
            }
        }
    }

    private sealed class CountedSession(OpenSessions sessions, IDecoderSession session) : IDecoderSession
    {
        private readonly UserCount _users = sessions._users;

        public void Begin(PreparedPrompt prompt, IKeptTokens? kept)
        {
            using var use = _users.Enter();
            session.Begin(prompt, kept);
        }

        public bool Advance(Sequence sequence, int most, CancellationToken cancellationToken)
            => _users.Run(token => session.Advance(sequence, most, token), cancellationToken);

        public bool HasRoom(int row)
        {
            using var use = _users.Enter();
            return session.HasRoom(row);
        }

        public void Step(IReadOnlyList<Sequence> sequences, CancellationToken cancellationToken)
            => _users.Run(token => session.Step(sequences, token), cancellationToken);

        public void End(int row)
        {
            using var use = _users.Enter();
            session.End(row);
        }

        public IKeptTokens? Keep(int row)
        {
            using var use = _users.Enter();
            return session.Keep(row);
        }

        public Matrix Logits(PreparedPrompt prompt, Range rows, CancellationToken cancellationToken = default)
            => _users.Run(token => session.Logits(prompt, rows, token), cancellationToken);

        public void Dispose() => sessions.End(session);
    }
}
