using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;

namespace MASQuant.Cuda.Models;

/// <summary>What runs over one cache queue: recorded once for each of their forms, replayed, and recorded anew when a buffer that it reads has moved.</summary>
internal sealed class RecordedRuns(DeviceDecoder decoder, DeviceWorkspace workspace, DeviceKvCache cache) : IDisposable
{
    private readonly Dictionary<(int Rows, bool Text, bool Apart, int Chosen, bool Drawn), IDeviceGraph> _graphs = [];
    private (int Workspace, int Cache) _recorded;

    /// <summary>Where keys and values go.</summary>
    public DeviceKvCache Cache => cache;

    /// <summary>Queues what is not worth a recording.</summary>
    public DeviceForward Forward { get; } = new(decoder, workspace, cache);

    /// <summary>Queues a run, whose values the step holds.</summary>
    /// <param name="rows">M, padding included.</param>
    /// <param name="text">Whether all of them are text.</param>
    /// <param name="apart">Whether each row is of a sequence of its own.</param>
    /// <param name="chosen">The rows, from the step's first on, whose logits are computed and whose next token is chosen.</param>
    /// <param name="drawn">Whether chance decides for some of them.</param>
    public void Launch(int rows, bool text, bool apart, int chosen, bool drawn)
    {
        DropIfMoved();
        if (!_graphs.TryGetValue((rows, text, apart, chosen, drawn), out var graph))
        {
            var parts = apart ? DecoderKernels.DecodeParts(decoder.Heads, cache.Capacity, decoder.Device.Multiprocessors) : 0;
            workspace.ReserveRows(Math.Max(1, chosen));
            workspace.ReserveProducts(rows);
            workspace.ReserveParts(parts, apart ? rows : 1);
            DropIfMoved();
            graph = Record(rows, text, parts, chosen, drawn);
            _graphs.Add((rows, text, apart, chosen, drawn), graph);
        }

        graph.Launch();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var graph in _graphs.Values)
        {
            graph.Dispose();
        }

        _graphs.Clear();
    }

    // Its own method, so that a replay makes no closure.
    private IDeviceGraph Record(int rows, bool text, int parts, int chosen, bool drawn) => decoder.Device.Record(() =>
    {
        Forward.Embed(rows);
        Forward.Blocks(rows, text, parts);
        if (chosen > 0)
        {
            Forward.Take(chosen, 0);
            Forward.Head(chosen);
            Forward.Choose(chosen, drawn ? workspace.Draws(rows) : default);
        }
    });

    private void DropIfMoved()
    {
        if (_recorded != (workspace.Generation, cache.Generation))
        {
            Dispose();
            _recorded = (workspace.Generation, cache.Generation);
        }
    }
}
