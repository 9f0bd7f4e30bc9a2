using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Generation;

namespace MASQuant.Cuda.Models;

/// <summary>The intermediate results of a decoder on a device, and what changes from step to step. Buffers grow and are reused.</summary>
public sealed class DeviceWorkspace : IDisposable
{
    /// <summary>Where the numbers of cached tokens start in the step's values: behind the first wanted row.</summary>
    public const int CachedStart = sizeof(int);

    /// <summary>Where the angles start in the step's values.</summary>
    public const int AnglesStart = 256;

    /// <summary>The most sequences of a step.</summary>
    public const int MaxSequences = (AnglesStart - CachedStart) / sizeof(int);

    private readonly DeviceDecoder _decoder;
    private readonly DeviceBuffer[] _buffers;
    private int _tokens;
    private int _rows;
    private int _parts;
    private int _generation;

    public DeviceWorkspace(DeviceDecoder decoder)
    {
        _decoder = decoder;
        Tokens = new DeviceTokens(decoder.Device);
        _buffers = [.. Enumerable.Range(0, 13).Select(_ => new DeviceBuffer(decoder.Device))];
    }

    /// <summary>The prepared input of the group at work.</summary>
    public DeviceTokens Tokens { get; }

    /// <summary>Changes whenever a buffer has moved: recorded work reads the old ones.</summary>
    public int Generation => _generation + Tokens.Generation;

    /// <summary>The residual stream, [M, H] FP32.</summary>
    public DevicePointer Hidden => _buffers[0].Pointer;

    /// <summary>What is yet to be added to <see cref="Hidden"/>, [M, H] FP32.</summary>
    public DevicePointer Branch => _buffers[1].Pointer;

    /// <summary>Queries, keys and values, [M, …] FP32.</summary>
    public DevicePointer Qkv => _buffers[2].Pointer;

    /// <summary>What attention gives, [M, heads · d] FP32.</summary>
    public DevicePointer Attended => _buffers[3].Pointer;

    /// <summary>Gate and up, [M, 2 · I] FP32.</summary>
    public DevicePointer GateUp => _buffers[4].Pointer;

    /// <summary>[M] bytes.</summary>
    public DevicePointer Modalities => _buffers[5].Pointer;

    /// <summary>The first wanted row, and from <see cref="CachedStart"/> on the number of cached tokens of each sequence, 32 bits each; then, from <see cref="AnglesStart"/> on, cosines and sines, [M, d/2] FP32 each, <see cref="Sources"/>, and <see cref="Draws"/>.</summary>
    public DevicePointer Step => _buffers[6].Pointer;

    /// <summary>Rows of the last block's output, [R, H] FP32.</summary>
    public DevicePointer Rows => _buffers[7].Pointer;

    /// <summary>[R, V] FP32.</summary>
    public DevicePointer Logits => _buffers[8].Pointer;

    /// <summary>The parts of a decode step's attention.</summary>
    public DevicePointer Parts => _buffers[9].Pointer;

    /// <summary>Rows of media that sources name, [rows, H] FP32.</summary>
    public DevicePointer Media => _buffers[10].Pointer;

    /// <summary>The choices of parts of logits.</summary>
    public DevicePointer ChoiceParts => _buffers[11].Pointer;

    /// <summary>[R] choices: <see cref="TokenKernels.ChoiceBytes"/> each.</summary>
    public DevicePointer Chosen => _buffers[12].Pointer;

    /// <summary>What fills each row of <see cref="Hidden"/>, [M] 32 bits: see <see cref="TokenKernels.Embed"/>.</summary>
    public DevicePointer Sources(int tokens) => Step + SourcesStart(tokens);

    /// <summary>Where the sources of M tokens start in the step's values.</summary>
    public int SourcesStart(int tokens) => AnglesStart + (tokens * _decoder.Heads.Size * sizeof(float));

    /// <summary>How chance decides, where it does: a <see cref="TokenDraw"/> for each row of logits.</summary>
    public DevicePointer Draws(int tokens) => Step + DrawsStart(tokens);

    /// <summary>Where the draws start in the values of a step of M tokens.</summary>
    public int DrawsStart(int tokens) => (SourcesStart(tokens) + (tokens * sizeof(int)) + 7) & ~7;

    /// <summary>The most bytes of a step's values: no token has more than one row, no sequence more than one draw.</summary>
    public int StepBytes(int tokens) => DrawsStart(tokens) + (Math.Min(tokens, MaxSequences) * TokenDraw.Bytes);

    /// <summary>Makes room for M tokens.</summary>
    public void ReserveTokens(int tokens)
    {
        if (tokens <= _tokens)
        {
            return;
        }

        var (config, heads) = (_decoder.Config, _decoder.Heads);
        var queries = heads.Queries * heads.Size;
        Reserve(0, tokens, config.HiddenSize);
        Reserve(1, tokens, config.HiddenSize);
        Reserve(2, tokens, queries + (2 * heads.Keys * heads.Size));
        Reserve(3, tokens, queries);
        Reserve(4, tokens, 2 * config.IntermediateSize);
        _generation += _buffers[5].Reserve(tokens) ? 1 : 0;
        _generation += _buffers[6].Reserve(StepBytes(tokens)) ? 1 : 0;
        Tokens.Reset(tokens, Math.Max(config.HiddenSize, Math.Max(config.IntermediateSize, queries)), DevicePointer.Null);
        _tokens = tokens;
    }

    /// <summary>Makes room for rows of media.</summary>
    public void ReserveMedia(int rows) => Reserve(10, rows, _decoder.Config.HiddenSize);

    /// <summary>Makes room for the products of M tokens.</summary>
    public void ReserveProducts(int tokens)
    {
        foreach (var group in _decoder.Blocks.SelectMany(block => block.Groups))
        {
            group.Weight.Reserve(_decoder.Device, Tokens, tokens);
        }
    }

    /// <summary>Makes room for R rows of logits.</summary>
    public void ReserveRows(int rows)
    {
        if (rows > _rows)
        {
            Reserve(7, rows, _decoder.Config.HiddenSize);
            Reserve(8, rows, _decoder.Config.VocabularySize);
            Reserve(11, rows, TokenKernels.ChoiceParts(_decoder.Config.VocabularySize) * TokenKernels.ChoiceBytes / sizeof(float));
            Reserve(12, rows, TokenKernels.ChoiceBytes / sizeof(float));
            _rows = rows;
        }

        Tokens.Reset(rows, _decoder.Config.HiddenSize, DevicePointer.Null);
        _decoder.Head.Reserve(_decoder.Device, Tokens, rows);
    }

    /// <summary>Makes room for attention in parts, of one token of each sequence.</summary>
    public void ReserveParts(int parts, int sequences = 1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sequences, MaxSequences);
        if (parts * sequences > _parts)
        {
            _generation += _buffers[9].Reserve(DecoderKernels.PartialBytes(_decoder.Heads, parts) * sequences) ? 1 : 0;
            _parts = parts * sequences;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Tokens.Dispose();
        foreach (var buffer in _buffers)
        {
            buffer.Dispose();
        }
    }

    private void Reserve(int buffer, int rows, int columns) => _generation += _buffers[buffer].Reserve((long)rows * columns * sizeof(float)) ? 1 : 0;
}
