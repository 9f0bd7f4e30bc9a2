using MASQuant.Engine.Layers;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Vision;

/// <summary>The vision tower: patches → tokens of the decoder's width. In full precision, or at 8 bits where its source has it so. Threads may share it.</summary>
public sealed class VisionTower : IVisionTower
{
    private readonly VisionTowerDescription _description;
    private readonly VisionConfig _config;
    private readonly DenseLinear _patchEmbedding;
    private readonly TransformerBlock[] _blocks;
    private readonly VisionTowerPositions? _positions;
    private readonly TransformerBlock _merger;
    private readonly TransformerBlock[] _deepstack;

    /// <summary>Reads a tower; <paramref name="source"/> must outlive it where its layers are at 8 bits.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public VisionTower(ITensorSource source, VisionTowerDescription description)
    {
        var coded = new CodedLinears(source);
        TransformerBlock Read(BlockDescription block) => TransformerBlock.Read(source, block, step => coded.TryRead(step, block.Prefix));
        (_description, _config) = (description, description.Config);
        _patchEmbedding = DenseLinear.Read(source, description.PatchEmbedding);
        _blocks = [.. description.Blocks.Select(block => Read(block))];
        _positions = VisionTowerPositions.Read(source, description);
        _merger = Read(description.Merger);
        _deepstack = [.. description.Deepstack.Select(level => Read(level.Merger))];
    }

    /// <summary>Patches of a merged block.</summary>
    private int BlockPatches => _config.SpatialMergeSize * _config.SpatialMergeSize;

    /// <summary>The tokens of one image or video, one per merged block, in the blocks' order: [t · h · w / 4, out].</summary>
    /// <exception cref="ArgumentException">The pixels do not fit the grid.</exception>
    public VisionTokens Forward(ImagePatches image, CancellationToken cancellationToken = default)
    {
        RequireGrid(image, _description);
        var patches = image.Pixels.Rows;
        var layout = new VisionTowerLayout(image.GridT, image.GridH, image.GridW, _config);
        var rotary = new VisionTowerRotary(layout, patches, _config.HiddenSize / _config.Heads, _description.RotaryTheta);
        var (values, attention) = (new StepValues(), new TowerAttention(layout.WindowBounds, layout.FrameBounds, rotary.Rotate, cancellationToken));
        var x = InWindowOrder(_patchEmbedding.Forward(image.Pixels), layout, BlockPatches);
        _positions?.AddTo(x, layout, image.GridH, image.GridW);
        Matrix Merge(TransformerBlock merger)
        {
            merger.Run(x, ModalityMap.Text(0), values, attention);
            return InBlockOrder(values.Current[0], layout);
        }

        var deepstack = new Matrix[_deepstack.Length];
        for (var index = 0; index < _blocks.Length; index++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _blocks[index].Run(x, ModalityMap.Text(0), values, attention);
            foreach (var (level, _) in _description.Deepstack.Index().Where(level => level.Item.Block == index))
            {
                deepstack[level] = Merge(_deepstack[level]);
            }
        }

        return new VisionTokens(Merge(_merger), deepstack);
    }

    /// <summary>Refuses pixels that do not fit their grid.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    public static void RequireGrid(ImagePatches image, VisionTowerDescription description)
    {
        var (patches, values) = (checked(image.GridT * image.GridH * image.GridW), description.PatchEmbedding.Inputs);
        if (image.Pixels.Rows != patches || image.Pixels.Columns != values)
        {
            throw new ArgumentException(
                $"A grid of {image.GridT} × {image.GridH} × {image.GridW} needs {patches} patches of {values} values, not {image.Pixels.Rows} of {image.Pixels.Columns}.", nameof(image));
        }
    }

    /// <summary>The tokens of several images or videos, one after the other.</summary>
    /// <exception cref="ArgumentException">The pixels do not fit the grid.</exception>
    public VisionTokens Forward(IReadOnlyList<ImagePatches> images, CancellationToken cancellationToken = default)
        => VisionTokens.Concatenate([.. images.Select(image => Forward(image, cancellationToken))], _config.OutHiddenSize);

    /// <summary>Rows of patches, block by block in the order of <paramref name="layout"/>.</summary>
    public static Matrix InWindowOrder(Matrix embedded, VisionTowerLayout layout, int blockPatches)
    {
        var ordered = new Matrix(embedded.Rows, embedded.Columns);
        var size = blockPatches * embedded.Columns;
        for (var place = 0; place < layout.BlockOrder.Length; place++)
        {
            embedded.Span.Slice(layout.BlockOrder[place] * size, size).CopyTo(ordered.Span.Slice(place * size, size));
        }

        return ordered;
    }

    /// <summary>Rows of blocks in the order in which they arrived.</summary>
    public static Matrix InBlockOrder(Matrix tokens, VisionTowerLayout layout)
    {
        var ordered = new Matrix(tokens.Rows, tokens.Columns);
        for (var place = 0; place < layout.BlockOrder.Length; place++)
        {
            tokens.Row(place).CopyTo(ordered.Row(layout.BlockOrder[place]));
        }

        return ordered;
    }
}
