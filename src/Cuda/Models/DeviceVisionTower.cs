using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Vision;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Models;

/// <summary>The vision tower, resident on a device: <see cref="VisionTower"/> step by step, with BF16 operands and FP32 sums. Threads may share it; media run one after the other.</summary>
internal sealed class DeviceVisionTower : IVisionTower, IDisposable
{
    private readonly ICudaDevice _device;
    private readonly Lock _gate;
    private readonly VisionConfig _config;
    private readonly DeviceWeight _patchEmbedding;
    private readonly DeviceVisionTowerBlock[] _blocks;
    private readonly DeviceSlot _mergerNorm;
    private readonly DeviceWeight _mergerInner;
    private readonly DeviceWeight _mergerOuter;
    private readonly IDeviceMemory _memory;

    /// <summary>Copies the tensors <c>visual.*</c> to a device.</summary>
    /// <param name="device">Receives them.</param>
    /// <param name="gate">Held by whoever queues work on <paramref name="device"/>.</param>
    /// <param name="source">Is not kept.</param>
    /// <param name="config">The extents, which the kernels take.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite; MASQ1004 too little memory.</exception>
    public DeviceVisionTower(ICudaDevice device, Lock gate, ITensorSource source, VisionConfig config)
    {
        (_device, _gate, _config) = (device, gate, config);
        var (merged, upload) = (checked(config.HiddenSize * BlockPatches), new DeviceUpload());
        _patchEmbedding = TowerLinear.Add(upload, source, VisionTower.PatchValues(config), new TowerLinear("visual.patch_embed.proj", config.HiddenSize, HasBias: false));
        _blocks = [.. Enumerable.Range(0, config.Depth).Select(index => DeviceVisionTowerBlock.Read(upload, source, config, index))];
        _mergerNorm = upload.Add<float>(source.ReadFloats("visual.merger.ln_q.weight", config.HiddenSize));
        _mergerInner = TowerLinear.Add(upload, source, merged, new TowerLinear("visual.merger.mlp.0", merged));
        _mergerOuter = TowerLinear.Add(upload, source, merged, new TowerLinear("visual.merger.mlp.2", config.OutHiddenSize));
        lock (gate)
        {
            _memory = upload.Run(device);
        }
    }

    /// <summary>Patches of a merged block.</summary>
    private int BlockPatches => _config.SpatialMergeSize * _config.SpatialMergeSize;

    /// <summary>Whether the kernels take a tower of these extents.</summary>
    public static bool Takes(VisionConfig config)
        => config.HiddenSize % PrepareKernels.InputMultiple == 0 && TowerKernels.Supports(config.HiddenSize / config.Heads) && config.OutHiddenSize % GemmKernels.PanelOutputs == 0
            && config.IntermediateSize % 4 == 0 && VisionTower.PatchValues(config) % 4 == 0
            && Math.Max(config.HiddenSize * config.SpatialMergeSize * config.SpatialMergeSize, config.IntermediateSize) <= PrepareKernels.MaxInputs;

    /// <inheritdoc/>
    public Matrix Forward(ImagePatches image, CancellationToken cancellationToken = default)
    {
        VisionTower.RequireGrid(image, _config);
        var layout = new VisionTowerLayout(image.GridT, image.GridH, image.GridW, _config);
        var rotary = new VisionTowerRotary(layout, image.Pixels.Rows, _config.HiddenSize / _config.Heads);
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
        var (patches, width) = (image.Pixels.Rows, _config.HiddenSize);
        var inner = Math.Max(width, 2 * TowerLinear.Pad(_config.IntermediateSize));
        using var workspace = new TowerWorkspace(_device, patches, width, inner, _config.Heads);
        var angles = workspace.Upload<float>([.. rotary.Cosines.Span, .. rotary.Sines.Span]);
        var (frames, windows) = (workspace.UploadSegments(layout.FrameBounds), workspace.UploadSegments(layout.WindowBounds));
        var output = workspace.Allocate((long)tokens.Rows * tokens.Columns * sizeof(float));
        workspace.Multiply(_patchEmbedding, workspace.Upload(VisionTower.InWindowOrder(image.Pixels, layout, BlockPatches)), patches, workspace.Hidden);
        var branch = DevicePointer.Null;
        for (var index = 0; index < _blocks.Length; index++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _blocks[index].Forward(_device, workspace, patches, branch, angles, _config.FullAttentionBlocks.Contains(index) ? frames : windows);
            branch = workspace.Branch;
        }

        // Rows lie side by side: the patches of a merged block are one row.
        workspace.Tokens.Reset(patches, width, DevicePointer.Null);
        _device.Launch(PrepareKernels.Norm(
            workspace.Hidden, branch, _mergerNorm.Pointer, VisionTowerBlock.NormEpsilon, patches, width, default, workspace.Tokens.Target(_mergerInner)));
        workspace.Tokens.Reset(tokens.Rows, width * BlockPatches, DevicePointer.Null);
        _mergerInner.Multiply(_device, workspace.Tokens, workspace.Inner, _mergerInner.Outputs);
        workspace.MultiplyGelu(_mergerOuter, tokens.Rows, output);
        _device.Read(output, MemoryMarshal.AsBytes(tokens.Span));
    }
}
