using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Vision;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Models;

/// <summary>The vision tower, resident on a device: <see cref="VisionTower"/> step by step, with BF16 operands and FP32 sums. Threads may share it; media run one after the other.</summary>
internal sealed class DeviceVisionTower : IVisionTower, IDisposable
{
    private readonly ICudaDevice _device;
    private readonly Lock _gate;
    private readonly VisionTowerDescription _description;
    private readonly VisionConfig _config;
    private readonly DeviceWeight _patchEmbedding;
    private readonly DeviceTransformerBlock[] _blocks;
    private readonly VisionTowerPositions? _positions;
    private readonly DeviceTransformerBlock _merger;
    private readonly DeviceTransformerBlock[] _deepstack;
    private readonly IDeviceMemory _memory;

    /// <summary>Copies a tower to a device.</summary>
    /// <param name="device">Receives it.</param>
    /// <param name="gate">Held by whoever queues work on <paramref name="device"/>.</param>
    /// <param name="source">Is not kept.</param>
    /// <param name="description">What the tower is made of, which the kernels take.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite; MASQ1004 too little memory.</exception>
    public DeviceVisionTower(ICudaDevice device, Lock gate, ITensorSource source, VisionTowerDescription description)
    {
        (_device, _gate, _description, _config) = (device, gate, description, description.Config);
        var upload = new DeviceUpload();
        DeviceTransformerBlock Read(BlockDescription block) => DeviceTransformerBlock.Read(upload, source, block, step => DeviceLinears.Read(upload, source, step, block.Prefix, pads: true));
        _patchEmbedding = DeviceLinears.Read(upload, source, description.PatchEmbedding);
        _blocks = [.. description.Blocks.Select(Read)];
        _positions = VisionTowerPositions.Read(source, description);
        _merger = Read(description.Merger);
        _deepstack = [.. description.Deepstack.Select(level => Read(level.Merger))];
        lock (gate)
        {
            _memory = upload.Run(device);
        }
    }

    /// <summary>Patches of a merged block.</summary>
    private int BlockPatches => _config.SpatialMergeSize * _config.SpatialMergeSize;

    /// <summary>Whether the kernels take a tower.</summary>
    public static bool Supports(VisionTowerDescription description)
    {
        var config = description.Config;
        return description.Blocks.Concat(description.Mergers).All(DeviceTransformerBlock.Supports)
            && config.HiddenSize % PrepareKernels.InputMultiple == 0 && TowerKernels.Supports(config.HiddenSize / config.Heads) && config.OutHiddenSize % GemmKernels.PanelOutputs == 0
            && config.IntermediateSize % 4 == 0 && description.PatchEmbedding.Inputs % 4 == 0
            && Math.Max(config.HiddenSize * config.SpatialMergeSize * config.SpatialMergeSize, config.IntermediateSize) <= PrepareKernels.MaxInputs;
    }

    /// <inheritdoc/>
    public VisionTokens Forward(ImagePatches image, CancellationToken cancellationToken = default)
    {
        VisionTower.RequireGrid(image, _description);
        var layout = new VisionTowerLayout(image.GridT, image.GridH, image.GridW, _config);
        var rotary = new VisionTowerRotary(layout, image.Pixels.Rows, _config.HiddenSize / _config.Heads, _description.RotaryTheta);
        lock (_gate)
        {
            var merged = Run(image, layout, rotary, cancellationToken);
            return new VisionTokens(merged[0], merged[1..]);
        }
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose() => _memory.Dispose();

    // The tokens, then the rows for the decoder's first blocks.
    private Matrix[] Run(ImagePatches image, VisionTowerLayout layout, VisionTowerRotary rotary, CancellationToken cancellationToken)
    {
        var patches = image.Pixels.Rows;
        using var workspace = new TowerWorkspace(_device, patches, _config.HiddenSize, _config.Heads, [.. _blocks, _merger, .. _deepstack]);
        var angles = workspace.Upload<float>([.. rotary.Cosines.Span, .. rotary.Sines.Span]);
        var (frames, windows) = (workspace.UploadSegments(layout.FrameBounds), workspace.UploadSegments(layout.WindowBounds));
        var outputs = Enumerable.Range(0, 1 + _deepstack.Length).Select(_ => workspace.Allocate((long)patches / BlockPatches * _config.OutHiddenSize * sizeof(float))).ToArray();
        workspace.Multiply(_patchEmbedding, workspace.Upload(VisionTower.InWindowOrder(image.Pixels, layout, BlockPatches)), patches, workspace.Buffers.Stream);
        var attention = new SegmentedAttention(_device, workspace.Operands, angles, windows, frames);
        var pass = new DevicePass(_device, workspace.Buffers, patches, branch: WritePositions(image, layout, workspace.Buffers.Branch));
        for (var index = 0; index < _blocks.Length; index++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            pass.Run(_blocks[index], attention);
            foreach (var (level, _) in _description.Deepstack.Index().Where(level => level.Item.Block == index))
            {
                pass.RunBeside(_deepstack[level], outputs[1 + level]);
            }
        }

        pass.RunBeside(_merger, outputs[0]);
        return [.. outputs.Select(output => ReadTokens(output, layout))];
    }

    // Added with the first norm; null: there are none.
    private DevicePointer WritePositions(ImagePatches image, VisionTowerLayout layout, DevicePointer branch)
    {
        if (_positions is null)
        {
            return DevicePointer.Null;
        }

        var positions = new Matrix(image.Pixels.Rows, _config.HiddenSize);
        _positions.AddTo(positions, layout, image.GridH, image.GridW);
        _device.Write(branch, MemoryMarshal.AsBytes(positions.Span));
        return branch;
    }

    private Matrix ReadTokens(DevicePointer output, VisionTowerLayout layout)
    {
        var tokens = new Matrix(layout.BlockOrder.Length, _config.OutHiddenSize);
        _device.Read(output, MemoryMarshal.AsBytes(tokens.Span));
        return VisionTower.InBlockOrder(tokens, layout);
    }
}
