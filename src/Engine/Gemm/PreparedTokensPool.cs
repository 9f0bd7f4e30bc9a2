namespace MASQuant.Engine.Gemm;

/// <summary>Working memory of quantized input groups, lent for the length of a call: there are as many pieces as threads that were at work at once, however many groups share the pool.</summary>
public sealed class PreparedTokensPool
{
    private readonly Stack<PreparedTokens> _idle = new();

    internal PreparedTokens Rent()
    {
        lock (_idle)
        {
            return _idle.TryPop(out var tokens) ? tokens : new PreparedTokens();
        }
    }

    internal void Return(PreparedTokens tokens)
    {
        lock (_idle)
        {
            _idle.Push(tokens);
        }
    }
}
