using System.Runtime.InteropServices;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;

namespace MASQuant.Cuda.Models;

/// <summary>What a run of M rows reads from memory rather than from its launches, put together on the host and copied in one piece: see <see cref="DeviceWorkspace.Step"/>.</summary>
internal sealed class DeviceStep(DeviceDecoder decoder, DeviceWorkspace workspace)
{
    private byte[] _bytes = [];
    private int _rows;
    private int _end;

    /// <summary>The number of cached tokens of each sequence; zeros after <see cref="Start"/>.</summary>
    public Span<int> Cached => MemoryMarshal.Cast<byte, int>(_bytes.AsSpan(DeviceWorkspace.CachedStart, DeviceWorkspace.MaxSequences * sizeof(int)));

    /// <summary>What fills each row; nothing after <see cref="Start"/>.</summary>
    public Span<int> Sources => MemoryMarshal.Cast<byte, int>(_bytes.AsSpan(workspace.SourcesStart(_rows), _rows * sizeof(int)));

    /// <summary>Begins a run: no row has a source yet.</summary>
    /// <param name="rows">M, padding included.</param>
    /// <param name="firstRow">The first row that the head reads.</param>
    /// <param name="rotary">The angles of the rows that are no padding.</param>
    public void Start(int rows, int firstRow, RotaryTable rotary)
    {
        _rows = rows;
        _end = workspace.SourcesStart(rows) + (rows * sizeof(int));
        if (_bytes.Length < workspace.StepBytes(rows))
        {
            _bytes = new byte[workspace.StepBytes(rows)];
        }

        MemoryMarshal.Write(_bytes, firstRow);
        MemoryMarshal.Write(_bytes.AsSpan(sizeof(int)), rotary.Count);
        Cached.Clear();
        Sources.Fill(TokenKernels.NoSource);
        var half = decoder.Heads.Rotated / 2;
        var angles = MemoryMarshal.Cast<byte, float>(_bytes.AsSpan(DeviceWorkspace.AnglesStart));
        for (var row = 0; row < rotary.Count; row++)
        {
            rotary.Cosines(row).CopyTo(angles[(row * half)..]);
            rotary.Sines(row).CopyTo(angles[((rows + row) * half)..]);
        }

        // Whatever bits lie there from another run may be no numbers, which padding would hand to its neighbours: 0 · NaN is NaN.
        angles[(rotary.Count * half)..(rows * half)].Clear();
        angles[((rows + rotary.Count) * half)..(2 * rows * half)].Clear();
    }

    /// <summary>Adds how chance draws the tokens of rows of logits; those behind <paramref name="sequences"/> take their largest. Adds nothing, and is false, where the largest decides everywhere: that graph is shorter.</summary>
    /// <param name="sequences">The sequences of the first rows.</param>
    /// <param name="rows">R, padding included.</param>
    public bool Draw(IReadOnlyList<Sequence> sequences, int rows)
    {
        var drawn = false;
        for (var row = 0; row < sequences.Count; row++)
        {
            drawn |= IsDrawn(sequences[row]);
        }

        if (!drawn)
        {
            return false;
        }

        _end = workspace.DrawsStart(_rows) + (rows * TokenDraw.Bytes);
        var draws = MemoryMarshal.Cast<byte, TokenDraw>(_bytes.AsSpan(workspace.DrawsStart(_rows), rows * TokenDraw.Bytes));
        draws.Clear();
        for (var row = 0; row < sequences.Count; row++)
        {
            draws[row] = IsDrawn(sequences[row]) ? sequences[row].Sampler.NextDraw() : default;
        }

        return true;
    }

    // Where the tokens so far decide too, the host chooses, and takes the random number then.
    private static bool IsDrawn(Sequence sequence) => sequence.Sampler is { IsGreedy: false, NeedsLogits: false };

    /// <summary>Copies everything to the device.</summary>
    public void Write() => decoder.Device.Write(workspace.Step, _bytes.AsSpan(0, _end));
}
