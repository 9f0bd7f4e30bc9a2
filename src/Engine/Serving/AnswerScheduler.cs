using System.Runtime.CompilerServices;
using MASQuant.Diagnostics;
using MASQuant.Engine.Constraints;
using MASQuant.Engine.Generation;

namespace MASQuant.Engine.Serving;

/// <summary>
/// Answers prompts that come at any time, together: those in progress share each step, one prompt at a time is evaluated between steps, a part before each, and the next is prepared meanwhile (continuous batching: Yu et al., 2022, Orca).
/// First come, first served. Every answer is that of its prompt alone. Threads may share it; while nothing is asked it holds no thread.
/// </summary>
internal sealed class AnswerScheduler(ServedModel model)
{
    /// <summary>Tokens of a prompt between two steps of answers in progress: no step waits long, and a product's rows still fill the kernels' blocks.</summary>
    private const int TokensBetweenSteps = 64;

    private readonly PrefixCache _cache = new(model.Options.PrefixCacheBytes);
    private readonly Queue<AnswerRequest> _waiting = [];
    private readonly List<AnswerRequest> _rows = [];
    private readonly List<Sequence> _sequences = [];
    private IDecoderSession? _session;
    private AnswerRequest? _ready;
    private AnswerRequest? _starting;
    private bool _isBegun;
    private bool _isPreparing;
    private bool _isStepping;

    /// <summary>Answers a conversation, piece by piece, from the beginning of the enumeration on; ending the enumeration ends the answer.</summary>
    /// <exception cref="MASQuantException">MASQ0925: too many prompts wait; whatever the prompt fails with.</exception>
    public async IAsyncEnumerable<BatchPiece> Answer(IReadOnlyList<ChatMessage> messages, GenerationOptions options, IReadOnlyList<int> stopTokens, TokenGrammar? grammar, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var ending = new CancellationTokenSource(); // Without a timer there is nothing to dispose, and its token is used for a while.
        using var linked = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), ending);
        var request = new AnswerRequest(messages, options, stopTokens, grammar, model, ending.Token);
        Enqueue(request);
        try
        {
            await foreach (var piece in request.Pieces.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                cancellationToken.ThrowIfCancellationRequested(); // What has come already is given out no more.
                yield return piece;
            }
        }
        finally
        {
            ending.Cancel();
        }
    }

    private void Enqueue(AnswerRequest request)
    {
        lock (_waiting)
        {
            if (_waiting.Count >= model.Options.MaxWaiting)
            {
                RemoveLeft();
            }

            if (_waiting.Count >= model.Options.MaxWaiting)
            {
                throw new MASQuantException(DiagnosticCodes.TooManyWaiting, null, $"{_waiting.Count} prompts wait already; the limit is {model.Options.MaxWaiting} (ModelOptions.MaxWaiting). Ask again later, or raise the limit.");
            }

            _waiting.Enqueue(request);
            Go();
        }
    }

    // Who has left waits no more.
    private void RemoveLeft()
    {
        AnswerRequest[] all = [.. _waiting];
        _waiting.Clear();
        foreach (var request in all.Where(request => !request.IsLeft))
        {
            _waiting.Enqueue(request);
        }
    }

    /// <summary>Starts what has something to do.</summary>
    private void Go()
    {
        if (!_isPreparing && _ready is null && _waiting.Count > 0)
        {
            _isPreparing = true;
            _ = Task.Factory.StartNew(Prepare, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }

        if (!_isStepping && _ready is not null)
        {
            _isStepping = true;
            _ = Task.Factory.StartNew(Steps, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    /// <summary>Prepares one prompt ahead of those that are evaluated.</summary>
    private void Prepare()
    {
        while (true)
        {
            AnswerRequest request;
            lock (_waiting)
            {
                if (_ready is not null || !_waiting.TryDequeue(out request!))
                {
                    _isPreparing = false;
                    return;
                }
            }

            try
            {
                request.Cancellation.ThrowIfCancellationRequested();
                request.Prepare(model, _cache);
            }
            catch (Exception error)
            {
                request.End(error);
                continue;
            }

            lock (_waiting)
            {
                _ready = request;
                Go();
            }
        }
    }

    private void Steps()
    {
        try
        {
            while (Admit())
            {
                Leave(request => request.IsLeft);
                Start();
                Step();
            }
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    /// <summary>Takes the prompt that is ready when there is room; whether there is anything to do.</summary>
    private bool Admit()
    {
        lock (_waiting)
        {
            if (_starting is null && _rows.Count < model.MaxSequences)
            {
                (_starting, _ready, _isBegun) = (_ready, null, false);
                Go();
            }

            return _isStepping = _starting is not null || _rows.Count > 0;
        }
    }

    /// <summary>Evaluates a part of the prompt that was admitted; with its last token it becomes a row.</summary>
    private void Start()
    {
        if (_starting is not { } request)
        {
            return;
        }

        _session ??= model.NewSession();
        try
        {
            request.Cancellation.ThrowIfCancellationRequested();
            if (!_isBegun)
            {
                _session.Begin(request.Prompt!, request.Kept);
                _isBegun = true;
            }

            if (!_session.Advance(request.Sequence, _rows.Count == 0 ? int.MaxValue : TokensBetweenSteps, request.Cancellation))
            {
                return;
            }
        }
        catch (Exception error) when (error is OperationCanceledException || (error is MASQuantException its && !DeviceErrors.IsOne(its)))
        {
            request.End(error);
            _starting = null;
            return;
        }

        _starting = null;
        _rows.Add(request);
        Give(_rows.Count - 1);
        Leave(row => row.Sequence.HasEnded);
    }

    private void Step()
    {
        if (_rows.Count == 0)
        {
            return;
        }

        _sequences.Clear();
        _sequences.AddRange(_rows.Select(row => row.Sequence));
        _session!.Step(_sequences, CancellationToken.None);
        for (var row = 0; row < _rows.Count; row++)
        {
            Give(row);
        }

        Leave(row => row.Sequence.HasEnded);
    }

    private void Give(int row)
    {
        if (!_session!.HasRoom(row))
        {
            _rows[row].Sequence.Fill();
        }

        _rows[row].Give();
    }

    /// <summary>Ends the rows that are done, and keeps what they leave.</summary>
    private void Leave(Predicate<AnswerRequest> isDone)
    {
        for (var row = _rows.Count - 1; row >= 0; row--)
        {
            var request = _rows[row];
            if (!isDone(request))
            {
                continue;
            }

            IKeptTokens? kept = null;
            if (_cache.IsUsed && request.Sequence.Error is null)
            {
                kept = _session!.Keep(row);
            }
            else
            {
                _session!.End(row);
            }

            _rows[row] = _rows[^1];
            _rows.RemoveAt(_rows.Count - 1);
            request.Leave(kept, _cache);
        }
    }

    // A device that fails takes all that is asked of it along; a new session may find it well again.
    private void Fail(Exception error)
    {
        lock (_waiting)
        {
            AnswerRequest?[] all = [.. _rows, _starting];
            _rows.Clear();
            (_starting, _isStepping) = (null, false);
            var session = _session;
            _session = null;
            foreach (var request in all)
            {
                request?.End(error);
            }

            session?.Dispose();
            Go();
        }
    }
}
