using MASQuant.Engine.Layers;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Vision;

/// <summary>The vision tower: patches → tokens of the decoder's width. Stays in full precision. Threads may share it.</summary>
public sealed class VisionTower : IVisionTower
{
    private readonly VisionConfig _config;
    private readonly DenseLinear _patchEmbedding;
    private readonly VisionTowerBlock[] _blocks;
    private readonly float[] _mergerNorm;
    private readonly DenseLinear _mergerInner;
    private readonly DenseLinear _mergerOuter;

    /// <summary>Reads the tensors <c>visual.*</c>; <paramref name="source"/> is not kept.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public VisionTower(ITensorSource source, VisionConfig config)
    {
        _config = config;
        var merged = checked(config.HiddenSize * BlockPatches);
        _patchEmbedding = DenseLinear.Read(source, "visual.patch_embed.proj", config.HiddenSize, PatchValues(config), bias: false);
        _blocks = [.. Enumerable.Range(0, config.Depth).Select(index => new VisionTowerBlock(source, config, index))];
        _mergerNorm = source.ReadFloats("visual.merger.ln_q.weight", config.HiddenSize);
        _mergerInner = DenseLinear.Read(source, "visual.merger.mlp.0", merged, merged);
        _mergerOuter = DenseLinear.Read(source, "visual.merger.mlp.2", config.OutHiddenSize, merged);
    }

    /// <summary>Patches of a merged block.</summary>
    private int BlockPatches => _config.SpatialMergeSize * _config.SpatialMergeSize;

    /// <summary>The tokens of one image or video, one per merged block, in the blocks' order: [t · h · w / 4, out].</summary>
    /// <exception cref="ArgumentException">The pixels do not fit the grid.</exception>
    public Matrix Forward(ImagePatches image, CancellationToken cancellationToken = default)
    {
        RequireGrid(image, _config);
        var patches = image.Pixels.Rows;
        var layout = new VisionTowerLayout(image.GridT, image.GridH, image.GridW, _config);
        var rotary = new VisionTowerRotary(layout, patches, _config.HiddenSize / _config.Heads);
        var buffers = new VisionTowerBlock.Buffers(patches, _config);
        var x = InWindowOrder(_patchEmbedding.Forward(image.Pixels), layout, BlockPatches);
        for (var index = 0; index < _blocks.Length; index++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var bounds = _config.FullAttentionBlocks.Contains(index) ? layout.FrameBounds : layout.WindowBounds;
            _blocks[index].Forward(x, rotary, bounds, buffers, cancellationToken);
        }

        return InBlockOrder(Merge(x), layout);
    }

    /// <summary>Values of a patch.</summary>
    public static int PatchValues(VisionConfig config) => checked(config.Channels * config.TemporalPatchSize * config.PatchSize * config.PatchSize);

    /// <summary>Refuses pixels that do not fit their grid.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    public static void RequireGrid(ImagePatches image, VisionConfig config)
    {
        var (patches, values) = (checked(image.GridT * image.GridH * image.GridW), PatchValues(config));
        if (image.Pixels.Rows != patches || image.Pixels.Columns != values)
        {
            throw new ArgumentException(
                $"A grid of {image.GridT} × {image.GridH} × {image.GridW} needs {patches} patches of {values} values, not {image.Pixels.Rows} of {image.Pixels.Columns}.", nameof(image));
        }
    }

    /// <summary>The tokens of several images or videos, one after the other.</summary>
    /// <exception cref="ArgumentException">The pixels do not fit the grid.</exception>
    public Matrix Forward(IReadOnlyList<ImagePatches> images, CancellationToken cancellationToken = default)
        => Matrix.Concatenate([.. images.Select(image => Forward(image, cancellationToken))], _config.OutHiddenSize);

    /// <summary>Norms every patch, joins the patches of a block and maps them to one token: GELU between two linear layers.</summary>
    private Matrix Merge(Matrix x)
    {
        RmsNorm.Apply(x, _mergerNorm, VisionTowerBlock.NormEpsilon, x);
        var inner = _mergerInner.Forward(new Matrix(x.Rows / BlockPatches, x.Columns * BlockPatches, x.Data));
        Gelu.Apply(inner);
        return _mergerOuter.Forward(inner);
    }

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
