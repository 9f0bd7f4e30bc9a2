using MASQuant.Engine.Layers;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Vision;

/// <summary>A tower's learned positions: a square table, stretched over a grid of patches so that its corners stand at the grid's, and read between its entries bilinearly.</summary>
public sealed class VisionTowerPositions
{
    private readonly int _side;
    private readonly Matrix _table;

    private VisionTowerPositions(int side, Matrix table) => (_side, _table) = (side, table);

    /// <summary>Reads a table; null where the tower has none.</summary>
    /// <exception cref="MASQuantException">The tensor is missing, of another shape or type, or not finite.</exception>
    public static VisionTowerPositions? Read(ITensorSource source, VisionTowerDescription tower)
        => tower.Positions is { } table ? new(table.Side, source.ReadMatrix(table.Name, checked(table.Side * table.Side), tower.Config.HiddenSize)) : null;

    /// <summary>Adds every patch's position.</summary>
    /// <param name="x">[T, H], in the order of <paramref name="layout"/>.</param>
    /// <param name="layout">Says where a patch stands.</param>
    /// <param name="rows">The grid's rows.</param>
    /// <param name="columns">The grid's columns.</param>
    public void AddTo(Matrix x, VisionTowerLayout layout, int rows, int columns)
    {
        var (down, across) = (Places(rows), Places(columns));
        Rows.For(x.Rows, place =>
        {
            var (row, column) = layout.Position(place);
            var (top, bottom, dy) = At(down[row]);
            var (left, right, dx) = At(across[column]);
            var position = new float[x.Columns];
            Add(position, (top * _side) + left, (1 - dy) * (1 - dx));
            Add(position, (top * _side) + right, (1 - dy) * dx);
            Add(position, (bottom * _side) + left, dy * (1 - dx));
            Add(position, (bottom * _side) + right, dy * dx);
            Residual.Add(x.Row(place), position);
        });
    }

    // Products are rounded before they are added, in FP32, as in the reference.
    private void Add(float[] sum, int entry, float weight)
    {
        var values = _table.Row(entry);
        for (var i = 0; i < sum.Length; i++)
        {
            sum[i] += values[i] * weight;
        }
    }

    private (int Low, int High, float Share) At(float place)
    {
        var low = (int)place;
        return (low, Math.Min(low + 1, _side - 1), place - low);
    }

    // Evenly from 0 to side − 1: from both ends, so that the last is met exactly, as in the reference.
    private float[] Places(int count)
    {
        var step = (float)(_side - 1) / Math.Max(1, count - 1);
        return [.. Enumerable.Range(0, count).Select(i => i < count / 2 || count == 1 ? step * i : _side - 1 - (step * (count - 1 - i)))];
    }
}
