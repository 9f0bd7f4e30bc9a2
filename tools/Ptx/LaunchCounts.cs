using MASQuant.Ptx.Execution;

namespace MASQuant.Ptx;

/// <summary>What launches have executed.</summary>
public sealed class LaunchCounts
{
    private readonly Dictionary<string, long> _operations = [];

    /// <summary>Instructions times lanes.</summary>
    public long ThreadSteps { get; private set; }

    /// <summary>Warp instructions whose operation starts with <paramref name="prefix"/>, for example <c>mma.sync.aligned.m16n8k16</c>.</summary>
    public long Of(string prefix)
        => _operations.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal)).Sum(pair => pair.Value) / Warp.Lanes;

    internal void Add(string operation, long lanes)
    {
        _operations[operation] = _operations.GetValueOrDefault(operation) + lanes;
        ThreadSteps += lanes;
    }
}
