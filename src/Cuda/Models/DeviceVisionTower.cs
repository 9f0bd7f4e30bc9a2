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
    private readonly DeviceTransformerBlock _merger;
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
        _merger = Read(description.Merger);
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
        return description.Blocks.Append(description.Merger).All(DeviceTransformerBlock.Supports)
            && config.HiddenSize % PrepareKernels.InputMultiple == 0 && TowerKernels.Supports(config.HiddenSize / config.Heads) && config.OutHiddenSize % GemmKernels.PanelOutputs == 0
            && config.IntermediateSize % 4 == 0 && description.PatchEmbedding.Inputs % 4 == 0
            && Math.Max(config.HiddenSize * config.SpatialMergeSize * config.SpatialMergeSize, config.IntermediateSize) <= PrepareKernels.MaxInputs;
    }

    /// <inheritdoc/>
    public Matrix Forward(ImagePatches image, CancellationToken cancellationToken = default)
    {
        VisionTower.RequireGrid(image, _description);
        var layout = new VisionTowerLayout(image.GridT, image.GridH, image.GridW, _config);
        var rotary = new VisionTowerRotary(layout, image.Pixels.Rows, _config.HiddenSize / _config.Heads, _description.RotaryTheta);
        var tokens = new Matrix(image.Pixels.Rows / BlockPatches, _config.OutHiddenSize);
        lock (_gate)
        {
            Run(image, layout, rotary, tokens, cancellationToken);
        }

        return VisionTower.InBlockOrder(tokens, layout);
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose() => _memory.Dispose();

    private void Run(ImagePatches image, VisionTowerLayout layout, VisionTowerRotary rotary, Matrix tokens, CancellationToken cancellationToken)
    {
        var patches = image.Pixels.Rows;
        using var workspace = new TowerWorkspace(_device, patches, _config.HiddenSize, _config.Heads, _blocks.Append(_merger));
        var angles = workspace.Upload<float>([.. rotary.Cosines.Span, .. rotary.Sines.Span]);
        var (frames, windows) = (workspace.UploadSegments(layout.FrameBounds), workspace.UploadSegments(layout.WindowBounds));
        var output = workspace.Allocate((long)tokens.Rows * tokens.Columns * sizeof(float));
        workspace.Multiply(_patchEmbedding, workspace.Upload(VisionTower.InWindowOrder(image.Pixels, layout, BlockPatches)), patches, workspace.Buffers.Stream);
        var attention = new SegmentedAttention(_device, workspace.Operands, angles, windows, frames);
        var pass = new DevicePass(_device, workspace.Buffers, patches);
        foreach (var block in _blocks)
        {
            cancellationToken.ThrowIfCancellationRequested();
            pass.Run(block, attention);
        }

        pass.Run(_merger, output: output);
        _device.Read(output, MemoryMarshal.AsBytes(tokens.Span));
    }
}
