using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Audio;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Models;

/// <summary>One layer of the audio tower on a device: <see cref="AudioTowerLayer"/> with its attention's layers side by side.</summary>
internal sealed class DeviceAudioTowerLayer
{
    private readonly DeviceLayerNorm _attentionNorm;
    private readonly DeviceLayerNorm _mlpNorm;
    private readonly DeviceWeight _queryKeyValue;
    private readonly DeviceWeight _output;
    private readonly DeviceWeight _inner;
    private readonly DeviceWeight _outer;

    private DeviceAudioTowerLayer(DeviceUpload upload, ITensorSource source, AudioConfig config, string prefix)
    {
        var (width, inner) = (config.ModelSize, config.FeedForwardSize);
        TowerLinear Attention(string name, bool bias = true) => new(prefix + "self_attn." + name, width, bias);
        _attentionNorm = DeviceLayerNorm.Add(upload, source, prefix + "self_attn_layer_norm", width);
        _mlpNorm = DeviceLayerNorm.Add(upload, source, prefix + "final_layer_norm", width);
        _queryKeyValue = TowerLinear.Add(upload, source, width, Attention("q_proj"), Attention("k_proj", bias: false), Attention("v_proj"));
        _output = TowerLinear.Add(upload, source, width, Attention("out_proj"));
        _inner = TowerLinear.Add(upload, source, width, new TowerLinear(prefix + "fc1", inner));
        _outer = TowerLinear.Add(upload, source, inner, new TowerLinear(prefix + "fc2", width));
    }

    /// <summary>Adds layer <paramref name="index"/> to an upload.</summary>
    public static DeviceAudioTowerLayer Read(DeviceUpload upload, ITensorSource source, AudioConfig config, int index)
        => new(upload, source, config, FormattableString.Invariant($"audio_tower.layers.{index}."));

    /// <summary>Queues the layer on the T rows of the residual stream; what it adds last is left in <see cref="TowerWorkspace.Branch"/>.</summary>
    /// <param name="device">Where everything lies.</param>
    /// <param name="workspace">Holds the rows.</param>
    /// <param name="rows">T.</param>
    /// <param name="branch">What the layer before has left to be added, or null.</param>
    /// <param name="segments">Rows that attend to themselves.</param>
    public void Forward(ICudaDevice device, TowerWorkspace workspace, int rows, DevicePointer branch, (DevicePointer Tiles, int Count) segments)
    {
        _attentionNorm.Prepare(device, workspace, workspace.Hidden, branch, rows);
        workspace.Attend(_queryKeyValue, _output, rows, DevicePointer.Null, segments);
        _mlpNorm.Prepare(device, workspace, workspace.Hidden, workspace.Branch, rows);
        _inner.Multiply(device, workspace.Tokens, workspace.Inner, _inner.Outputs);
        workspace.MultiplyGelu(_outer, rows, workspace.Branch);
    }
}
