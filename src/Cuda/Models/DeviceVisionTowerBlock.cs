using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Vision;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Models;

/// <summary>One block of the vision tower on a device: <see cref="VisionTowerBlock"/> with its layers side by side.</summary>
internal sealed class DeviceVisionTowerBlock
{
    private readonly VisionConfig _config;
    private readonly DeviceSlot _attentionNorm;
    private readonly DeviceSlot _mlpNorm;
    private readonly DeviceWeight _queryKeyValue;
    private readonly DeviceWeight _output;
    private readonly DeviceWeight _gateUp;
    private readonly DeviceWeight _down;

    private DeviceVisionTowerBlock(DeviceUpload upload, ITensorSource source, VisionConfig config, string prefix)
    {
        _config = config;
        var (width, inner) = (config.HiddenSize, config.IntermediateSize);
        TowerLinear Attention(string name) => new(prefix + "attn." + name, width);
        _attentionNorm = upload.Add<float>(source.ReadFloats(prefix + "norm1.weight", width));
        _mlpNorm = upload.Add<float>(source.ReadFloats(prefix + "norm2.weight", width));
        _queryKeyValue = source.TryGet(prefix + "attn.qkv.weight", out _)
            ? TowerLinear.Add(upload, source, width, new TowerLinear(prefix + "attn.qkv", 3 * width))
            : TowerLinear.Add(upload, source, width, Attention("q"), Attention("k"), Attention("v"));
        _output = TowerLinear.Add(upload, source, width, Attention("proj"));
        _gateUp = TowerLinear.Add(upload, source, width, new TowerLinear(prefix + "mlp.gate_proj", inner), new TowerLinear(prefix + "mlp.up_proj", inner));
        _down = TowerLinear.Add(upload, source, inner, new TowerLinear(prefix + "mlp.down_proj", width));
    }

    /// <summary>Adds block <paramref name="index"/> to an upload.</summary>
    public static DeviceVisionTowerBlock Read(DeviceUpload upload, ITensorSource source, VisionConfig config, int index)
        => new(upload, source, config, FormattableString.Invariant($"visual.blocks.{index}."));

    /// <summary>Queues the block on the T rows of the residual stream; what it adds last is left in <see cref="TowerWorkspace.Branch"/>.</summary>
    /// <param name="device">Where everything lies.</param>
    /// <param name="workspace">Holds the rows.</param>
    /// <param name="rows">T.</param>
    /// <param name="branch">What the block before has left to be added, or null.</param>
    /// <param name="angles">Of the rotary embedding.</param>
    /// <param name="segments">Rows that attend to themselves.</param>
    public void Forward(ICudaDevice device, TowerWorkspace workspace, int rows, DevicePointer branch, DevicePointer angles, (DevicePointer Tiles, int Count) segments)
    {
        Normalize(device, workspace, rows, branch, _attentionNorm, _queryKeyValue);
        workspace.Attend(_queryKeyValue, _output, rows, angles, segments);
        Normalize(device, workspace, rows, workspace.Branch, _mlpNorm, _gateUp);
        _gateUp.Multiply(device, workspace.Tokens, workspace.Inner, _gateUp.Outputs);
        workspace.Tokens.Reset(rows, _config.IntermediateSize, DevicePointer.Null);
        device.Launch(PrepareKernels.Gated(workspace.Inner, workspace.Inner + ((long)_gateUp.Outputs / 2 * sizeof(float)), _gateUp.Outputs, rows, _config.IntermediateSize,
            default, workspace.Tokens.Target(_down)));
        _down.Multiply(device, workspace.Tokens, workspace.Branch, _down.Outputs);
    }

    private void Normalize(ICudaDevice device, TowerWorkspace workspace, int rows, DevicePointer branch, DeviceSlot gain, DeviceWeight reader)
    {
        workspace.Tokens.Reset(rows, _config.HiddenSize, DevicePointer.Null);
        device.Launch(PrepareKernels.Norm(
            workspace.Hidden, branch, gain.Pointer, VisionTowerBlock.NormEpsilon, rows, _config.HiddenSize, default, workspace.Tokens.Target(reader)));
    }
}
