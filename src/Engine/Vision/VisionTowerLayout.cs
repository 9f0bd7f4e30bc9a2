using MASQuant.Formats.Configuration;

namespace MASQuant.Engine.Vision;

/// <summary>The order in which the tower holds the patches of one image or video: merged blocks window by window, so that each attention window is one run of rows. Patches of a block stay together.</summary>
public sealed class VisionTowerLayout
{
    private readonly int _merge;
    private readonly int _blockColumns;
    private readonly int _blocksPerFrame;

    /// <summary>Lays out a grid of <paramref name="frames"/> × <paramref name="rows"/> × <paramref name="columns"/> patches.</summary>
    /// <exception cref="ArgumentException">Rows or columns are not whole blocks.</exception>
    public VisionTowerLayout(int frames, int rows, int columns, VisionConfig config)
    {
        _merge = config.SpatialMergeSize;
        if (rows % _merge != 0 || columns % _merge != 0)
        {
            throw new ArgumentException($"A grid of {rows} × {columns} patches does not divide into blocks of {_merge} × {_merge}.", nameof(rows));
        }

        var blockRows = rows / _merge;
        _blockColumns = columns / _merge;
        var window = config.WindowSize / _merge / config.PatchSize ?? Math.Max(blockRows, _blockColumns);
        _blocksPerFrame = blockRows * _blockColumns;
        BlockOrder = new int[checked(frames * _blocksPerFrame)];
        FrameBounds = [.. Enumerable.Range(0, frames + 1).Select(f => f * rows * columns)];

        // Windows at the right and lower edge hold what is left.
        var (next, bounds) = (0, new List<int> { 0 });
        for (var frame = 0; frame < frames; frame++)
        {
            for (var top = 0; top < blockRows; top += window)
            {
                for (var left = 0; left < _blockColumns; left += window)
                {
                    next = AddWindow(frame, top, Math.Min(top + window, blockRows), left, Math.Min(left + window, _blockColumns), next);
                    bounds.Add(next * _merge * _merge);
                }
            }
        }

        WindowBounds = [.. bounds];
    }

    /// <summary>For each place, the number of the merged block that stands there; blocks are numbered row by row, frame by frame, as they arrive and leave.</summary>
    public int[] BlockOrder { get; }

    /// <summary>Where the patches of each window begin, and their end.</summary>
    public int[] WindowBounds { get; }

    /// <summary>Where the patches of each frame begin, and their end.</summary>
    public int[] FrameBounds { get; }

    /// <summary>The row and column, in patches, of the patch at <paramref name="place"/>.</summary>
    public (int Row, int Column) Position(int place)
    {
        var (block, inner) = (BlockOrder[place / (_merge * _merge)] % _blocksPerFrame, place % (_merge * _merge));
        return ((block / _blockColumns * _merge) + (inner / _merge), (block % _blockColumns * _merge) + (inner % _merge));
    }

    private int AddWindow(int frame, int top, int bottom, int left, int right, int next)
    {
        for (var row = top; row < bottom; row++)
        {
            for (var column = left; column < right; column++)
            {
                BlockOrder[next++] = (frame * _blocksPerFrame) + (row * _blockColumns) + column;
            }
        }

        return next;
    }
}
