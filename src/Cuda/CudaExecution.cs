using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Cuda.Models;
using MASQuant.Engine.Audio;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;
using MASQuant.Engine.Vision;

namespace MASQuant.Cuda;

/// <summary>Computes a model on an NVIDIA GPU. What the kernels do not take runs on the processor: a tower of other extents, or of a decoder all but its quantized layers.</summary>
public sealed class CudaExecution : IModelExecution
{
    private readonly ICudaDevice _device;
    private readonly bool _ownsDevice;
    private readonly ModelContent _content;
    private readonly DeviceLinearGroups _groups;
    private readonly DeviceVisionTower? _vision;
    private readonly DeviceAudioTower? _audio;
    private readonly DeviceDecoder? _decoder;
    private readonly Lazy<Decoder> _blocks;

    /// <summary>Reads a model onto a device.</summary>
    /// <param name="device">Receives it.</param>
    /// <param name="content">Its source must outlive this.</param>
    /// <param name="ownsDevice">Whether <paramref name="device"/> is disposed with this; also when this fails.</param>
    /// <exception cref="MASQuantException">A tensor is missing, misshapen or not finite, or the device has too little memory.</exception>
    public CudaExecution(ICudaDevice device, ModelContent content, bool ownsDevice = false)
    {
        var (source, config, embedding, _) = content;
        var gate = new Lock();
        (_device, _ownsDevice, _content, _groups) = (device, ownsDevice, content, new DeviceLinearGroups(device, gate));
        try
        {
            var (decoder, vision, audio) = (config.Decoder(), config.VisionTower(), config.AudioTower());
            _blocks = new Lazy<Decoder>(() => DecoderReader.Read(source, decoder, embedding, _groups));
            _vision = DeviceVisionTower.Supports(vision) ? new DeviceVisionTower(device, gate, source, vision) : null;
            _audio = audio is not null && DeviceAudioTower.Supports(audio) ? new DeviceAudioTower(device, gate, source, audio) : null;
            Vision = _vision ?? (IVisionTower)new VisionTower(source, vision);
            Audio = _audio ?? (audio is null ? null : (IAudioTower)new AudioTower(source, audio));
            _decoder = DeviceDecoder.Supports(decoder) ? DeviceDecoder.Read(device, gate, source, decoder, embedding) : null;
            _ = _decoder is null ? _blocks.Value : null;
            foreach (var tensor in source.Tensors)
            {
                source.Discard(tensor.Name); // The device has it.
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string DeviceName => _device.Name;

    /// <inheritdoc/>
    /// <remarks>More rows than these are summed in another order, layers on their own included.</remarks>
    public int MaxSequences => _decoder?.MaxSequences ?? GemmKernels.DecodeTokens;

    /// <inheritdoc/>
    public IVisionTower Vision { get; }

    /// <inheritdoc/>
    public IAudioTower? Audio { get; }

    /// <inheritdoc/>
    /// <remarks>Beside a decoder that is whole on the device, it is read when first asked for; its quantized layers are then on the device once more.</remarks>
    public Decoder Decoder => _blocks.Value;

    /// <inheritdoc/>
    public IDecoderSession NewSession(int sequences)
        => _decoder is null ? new DecoderSession(Decoder, _content.PrefillTokens, _content.KeyValues) : new DeviceSession(_decoder, _content.PrefillTokens, sequences);

    /// <summary>Frees the device's memory, and the device where it is owned.</summary>
    public void Dispose()
    {
        _decoder?.Dispose();
        _vision?.Dispose();
        _audio?.Dispose();
        _groups.Dispose();
        if (_ownsDevice)
        {
            _device.Dispose();
        }
    }
}
