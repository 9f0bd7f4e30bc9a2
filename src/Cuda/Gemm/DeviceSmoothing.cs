using MASQuant.Cuda.Device;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Gemm;

/// <summary>What an input group does to its input, on a device: 1/s_m per modality, of which what is empty stands for ones, the rotation and the clips.</summary>
public sealed class DeviceSmoothing
{
    private readonly DeviceSlot[] _factors;
    private readonly int _rotation;
    private readonly DeviceSlot _clips;

    /// <summary>Adds the factors to an upload.</summary>
    public DeviceSmoothing(DeviceUpload upload, InputTransform input)
    {
        (_factors, _rotation) = ([.. input.InverseSmoothing.Select(factor => upload.Add<float>(factor))], input.RotationBlock);
        _clips = input.Clips is null ? DeviceSlot.None : upload.Add<float>(input.Clips.ToArray());
    }

    /// <summary>The factors as kernels take them, for tokens of these modalities.</summary>
    /// <param name="modalities">[M] bytes; null: all text.</param>
    public TokenSmoothing For(DevicePointer modalities)
        => new(modalities, _factors[(int)Modality.Text].Pointer, _factors[(int)Modality.Vision].Pointer, _factors[(int)Modality.Audio].Pointer, _rotation, _clips.Pointer);
}
