using MASQuant.Diagnostics;

namespace MASQuant.Server;

/// <summary>How many requests are in progress or wait, altogether and of each key.</summary>
internal sealed class RequestGate(ServerOptions options)
{
    private readonly Lock _lock = new();
    private readonly int[] _ofKey = new int[options.Keys.Count];
    private int _all;
    private int _begun;

    /// <summary>Requests whose answers have begun.</summary>
    public int InProgress => Volatile.Read(ref _begun);

    /// <summary>Requests whose answers have not begun.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _all - _begun;
            }
        }
    }

    /// <summary>A place, until it is disposed.</summary>
    /// <param name="key">Which key asks; -1: none.</param>
    /// <exception cref="MASQuantException">MASQ0925: all are taken. MASQ0947: all of the key's.</exception>
    public Place Enter(int key)
    {
        lock (_lock)
        {
            if (_all >= options.MaxRequests)
            {
                throw new MASQuantException(DiagnosticCodes.TooManyWaiting, null, $"{_all} requests are in progress or wait; the limit is {options.MaxRequests}. Ask again later.");
            }

            if (key >= 0 && _ofKey[key] >= options.MaxRequestsPerKey)
            {
                throw new MASQuantException(DiagnosticCodes.TooManyOfKey, null, $"{_ofKey[key]} requests of this key are in progress or wait; the limit is {options.MaxRequestsPerKey}. Ask again when one has ended.");
            }

            _all++;
            if (key >= 0)
            {
                _ofKey[key]++;
            }

            return new Place(this, key);
        }
    }

    /// <summary>One request's place.</summary>
    public sealed class Place(RequestGate gate, int key) : IDisposable
    {
        private bool _hasBegun;

        /// <summary>The answer begins.</summary>
        public void Begin()
        {
            lock (gate._lock)
            {
                gate._begun += _hasBegun ? 0 : 1;
                _hasBegun = true;
            }
        }

        public void Dispose()
        {
            lock (gate._lock)
            {
                gate._all--;
                gate._begun -= _hasBegun ? 1 : 0;
                if (key >= 0)
                {
                    gate._ofKey[key]--;
                }
            }
        }
    }
}
