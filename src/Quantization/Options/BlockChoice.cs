using System.Diagnostics.CodeAnalysis;
using MASQuant.Diagnostics;

namespace MASQuant.Quantization.Options;

/// <summary>Which decoder blocks a job quantizes on its own: a range, or a share of a model whose number of blocks need not be known.</summary>
public sealed class BlockChoice
{
    /// <summary>What <see cref="TryParse"/> reads, for people.</summary>
    public const string Allowed = "a block, a range such as 0-8, or " + Share.Allowed;

    private readonly BlockRange _range;
    private readonly Share? _share;

    private BlockChoice(BlockRange range, Share? share) => (_range, _share) = (range, share);

    /// <summary>Reads a choice.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out BlockChoice? choice)
    {
        choice = Share.TryParse(text, out var share) ? new BlockChoice(default, share)
            : BlockRange.TryParse(text, out var range) && range != BlockRange.All ? new BlockChoice(range, null) : null;
        return choice is not null;
    }

    /// <summary>The blocks of a model of so many.</summary>
    /// <exception cref="MASQuantException">MASQ0513: the model has fewer.</exception>
    public BlockRange Of(int layers)
    {
        if (_share is not { } share)
        {
            return !_range.Exceeds(layers) ? _range
                : throw new MASQuantException(DiagnosticCodes.BlockNotThere, null, $"--blocks names block {_range.Last}; the model has blocks 0…{layers - 1}. Name a range of those.");
        }

        var blocks = share.Of(layers);
        return share.Count <= layers ? new BlockRange(blocks.Start.Value, blocks.End.Value - 1)
            : throw new MASQuantException(DiagnosticCodes.BlockNotThere, null, $"--blocks asks for {share.Count} parts; the model has {layers} blocks. Use at most {layers} jobs.");
    }

    /// <summary>The text that <see cref="TryParse"/> reads.</summary>
    public override string ToString() => _share?.ToString() ?? _range.ToString();
}
