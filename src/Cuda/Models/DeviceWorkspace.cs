using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Generation;

namespace MASQuant.Cuda.Models;

/// <summary>The intermediate results of a decoder on a device, and what changes from step to step. Buffers grow and are reused.</summary>
public sealed class DeviceWorkspace : IDisposable
{
    /// <summary>Where the numbers of cached tokens start in the step's values: behind the first wanted row, and how many rows are tokens.</summary>
    public const int CachedStart = 2 * sizeof(int);

    /// <summary>Where the angles start in the step's values.</summary>
    public const int AnglesStart = 256;

    /// <summary>The most sequences of a step.</summary>
    public const int MaxSequences = (AnglesStart - CachedStart) / sizeof(int);

    private readonly DeviceDecoder _decoder;
    private readonly DeviceBuffer _hidden;
    private readonly DeviceBuffer _branch;
    private readonly DeviceBuffer _projected;
    private readonly DeviceBuffer _attended;
    private readonly DeviceBuffer _beside;
    private readonly DeviceBuffer _ruling;
    private readonly DeviceBuffer _gates;
    private readonly DeviceBuffer _modalities;
    private readonly DeviceBuffer _step;
    private readonly DeviceBuffer _lastRows;
    private readonly DeviceBuffer _logits;
    private readonly DeviceBuffer _partial;
    private readonly DeviceBuffer _media;
    private readonly DeviceBuffer _choiceParts;
    private readonly DeviceBuffer _chosen;
    private int _tokens;
    private int _rows;
    private int _parts;
    private int _generation;

    public DeviceWorkspace(DeviceDecoder decoder)
    {
        _decoder = decoder;
        Tokens = new DeviceTokens(decoder.Device);
        var device = decoder.Device;
        (_hidden, _branch, _projected, _attended, _modalities, _step) = (new(device), new(device), new(device), new(device), new(device), new(device));
        (_beside, _ruling, _gates) = (new(device), new(device), new(device));
        (_lastRows, _logits, _partial, _media, _choiceParts, _chosen) = (new(device), new(device), new(device), new(device), new(device), new(device));
    }

    /// <summary>The prepared input of the group at work.</summary>
    public DeviceTokens Tokens { get; }

    /// <summary>Changes whenever a buffer has moved: recorded work reads the old ones.</summary>
    public int Generation => _generation + Tokens.Generation;

    /// <summary>The residual stream, [M, H] FP32.</summary>
    public DevicePointer Hidden => _hidden.Pointer;

    /// <summary>What is yet to be added to <see cref="Hidden"/>, [M, H] FP32.</summary>
    public DevicePointer Branch => _branch.Pointer;

    /// <summary>Where the results of steps lie.</summary>
    internal PassBuffers Buffers => new(Tokens, Hidden, Branch, _projected.Pointer, _attended.Pointer, _beside.Pointer, _ruling.Pointer, _gates.Pointer);

    /// <summary>Where the device reads how many tokens there are.</summary>
    internal StepCounts Counts => new(Step, Step + CachedStart);

    /// <summary>[M] bytes.</summary>
    public DevicePointer Modalities => _modalities.Pointer;

    /// <summary>The first wanted row, how many rows are tokens, and from <see cref="CachedStart"/> on the number of cached tokens of each sequence, 32 bits each; then, from <see cref="AnglesStart"/> on, cosines and sines, [M, r/2] FP32 each, of r rotated values a head, <see cref="Sources"/>, and <see cref="Draws"/>.</summary>
    public DevicePointer Step => _step.Pointer;

    /// <summary>Rows of the last block's output, [R, H] FP32.</summary>
    public DevicePointer Rows => _lastRows.Pointer;

    /// <summary>[R, V] FP32.</summary>
    public DevicePointer Logits => _logits.Pointer;

    /// <summary>The parts of a decode step's attention.</summary>
    public DevicePointer Parts => _partial.Pointer;

    /// <summary>Rows of media that sources name, [rows, H] FP32; behind as many rows as there are tokens those of <see cref="Deepstack"/>.</summary>
    public DevicePointer Media => _media.Pointer;

    /// <summary>Rows that the same sources name for the first blocks, of a run of M tokens.</summary>
    internal DeviceDeepstack Deepstack(int tokens) => new(Sources(tokens), Media + ((long)tokens * _decoder.Config.HiddenSize * sizeof(float)), tokens, _decoder.Config.HiddenSize);

    /// <summary>The choices of parts of logits.</summary>
    public DevicePointer ChoiceParts => _choiceParts.Pointer;

    /// <summary>[R] choices: <see cref="TokenKernels.ChoiceBytes"/> each.</summary>
    public DevicePointer Chosen => _chosen.Pointer;

    /// <summary>What fills each row of <see cref="Hidden"/>, [M] 32 bits: see <see cref="TokenKernels.Embed"/>.</summary>
    public DevicePointer Sources(int tokens) => Step + SourcesStart(tokens);

    /// <summary>Where the sources of M tokens start in the step's values.</summary>
    public int SourcesStart(int tokens) => AnglesStart + (tokens * _decoder.Heads.Rotated * sizeof(float));

    /// <summary>How chance decides, where it does: a <see cref="TokenDraw"/> for each row of logits.</summary>
    public DevicePointer Draws(int tokens) => Step + DrawsStart(tokens);

    /// <summary>Where the draws start in the values of a step of M tokens.</summary>
    public int DrawsStart(int tokens) => (SourcesStart(tokens) + (tokens * sizeof(int)) + 7) & ~7;

    /// <summary>The most bytes of a step's values: no token has more than one row, no sequence more than one draw.</summary>
    public int StepBytes(int tokens) => DrawsStart(tokens) + (Math.Min(tokens, MaxSequences) * TokenDraw.Bytes);

    private IEnumerable<DeviceInputGroup> Groups => _decoder.Blocks.SelectMany(block => block.Groups);

    /// <summary>Makes room for M tokens.</summary>
    public void ReserveTokens(int tokens)
    {
        if (tokens <= _tokens)
        {
            return;
        }

        var (config, heads) = (_decoder.Config, _decoder.Heads);
        Reserve(_hidden, tokens, config.HiddenSize);
        Reserve(_branch, tokens, config.HiddenSize);
        _generation += _projected.Reserve(_decoder.Blocks.Max(block => block.ProjectedValues(tokens)) * sizeof(float)) ? 1 : 0;
        var widths = BlockWidths.Of(_decoder.Description);
        Reserve(_attended, tokens, Math.Max(heads.Queries * heads.Size, widths.Values));
        Reserve(_beside, tokens, widths.Beside);
        Reserve(_ruling, tokens, _decoder.Blocks.Max(block => block.RulingOutputs));
        Reserve(_gates, tokens, widths.Gates);
        _generation += _modalities.Reserve(tokens) ? 1 : 0;
        _generation += _step.Reserve(StepBytes(tokens)) ? 1 : 0;
        Tokens.Reset(tokens, Groups.Max(group => group.Weight.Inputs), DevicePointer.Null);
        _tokens = tokens;
    }

    /// <summary>Makes room for rows of media, and for those of the first blocks.</summary>
    public void ReserveMedia(int rows) => Reserve(_media, checked(rows * (1 + _decoder.DeepstackLevels)), _decoder.Config.HiddenSize);

    /// <summary>Makes room for the products of M tokens.</summary>
    public void ReserveProducts(int tokens)
    {
        foreach (var group in Groups)
        {
            group.Weight.Reserve(_decoder.Device, Tokens, tokens);
        }
    }

    /// <summary>Makes room for R rows of logits.</summary>
    public void ReserveRows(int rows)
    {
        if (rows > _rows)
        {
            Reserve(_lastRows, rows, _decoder.Config.HiddenSize);
            Reserve(_logits, rows, _decoder.Config.VocabularySize);
            Reserve(_choiceParts, rows, TokenKernels.ChoiceParts(_decoder.Config.VocabularySize) * TokenKernels.ChoiceBytes / sizeof(float));
            Reserve(_chosen, rows, TokenKernels.ChoiceBytes / sizeof(float));
            _rows = rows;
        }

        Tokens.Reset(rows, _decoder.Config.HiddenSize, DevicePointer.Null);
        _decoder.Head.Weight.Reserve(_decoder.Device, Tokens, rows);
    }

    /// <summary>Makes room for attention in parts, of one token of each sequence.</summary>
    public void ReserveParts(int parts, int sequences = 1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sequences, MaxSequences);
        if (parts * sequences > _parts)
        {
            _generation += _partial.Reserve(DecoderKernels.PartialBytes(_decoder.Heads, parts) * sequences) ? 1 : 0;
            _parts = parts * sequences;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Tokens.Dispose();
        foreach (var buffer in (DeviceBuffer[])[_hidden, _branch, _projected, _attended, _beside, _ruling, _gates, _modalities, _step, _lastRows, _logits, _partial, _media, _choiceParts, _chosen])
        {
            buffer.Dispose();
        }
    }

    private void Reserve(DeviceBuffer buffer, int rows, int columns) => _generation += buffer.Reserve((long)rows * columns * sizeof(float)) ? 1 : 0;
}
