using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>1/s_m of an input group on a device, per modality; what is empty stands for ones.</summary>
public sealed class DeviceSmoothing
{
    private readonly DeviceSlot[] _factors;

    /// <summary>Adds K values for each modality, indexed by <see cref="Modality"/>, to an upload.</summary>
    public DeviceSmoothing(DeviceUpload upload, IReadOnlyList<float[]> inverseSmoothing)
        => _factors = [.. inverseSmoothing.Select(factor => upload.Add<float>(factor))];

    /// <summary>The factors as kernels take them, for tokens of these modalities.</summary>
    /// <param name="modalities">[M] bytes; null: all text.</param>
    public TokenSmoothing For(DevicePointer modalities)
        => new(modalities, _factors[(int)Modality.Text].Pointer, _factors[(int)Modality.Vision].Pointer, _factors[(int)Modality.Audio].Pointer);
}
