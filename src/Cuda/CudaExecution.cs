using MASQuant.Cuda.Gemm;
using MASQuant.Cuda.Models;
using MASQuant.Engine.Audio;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Vision;

namespace MASQuant.Cuda;

/// <summary>Computes a model on an NVIDIA GPU. What the kernels do not take runs on the processor: a tower of other extents, or of a decoder all but its quantized layers.</summary>
public sealed class CudaExecution : IModelExecution
{
    private readonly CudaGemmBackend _backend;
    private readonly ModelContent _content;
    private readonly DeviceVisionTower? _vision;
    private readonly DeviceAudioTower? _audio;
    private readonly DeviceDecoder? _decoder;
    private readonly Lazy<Decoder> _blocks;

    /// <summary>Reads a model onto a device.</summary>
    /// <param name="backend">The device; owned from here on, also when this fails.</param>
    /// <param name="content">Its source must outlive this.</param>
    /// <exception cref="MASQuantException">A tensor is missing, misshapen or not finite, or the device has too little memory.</exception>
    public CudaExecution(CudaGemmBackend backend, ModelContent content)
    {
        var (source, config, embedding, _) = content;
        (_backend, _content) = (backend, content);
        var (decoder, vision, audio) = (config.Decoder(), config.VisionTower(), config.AudioTower());
        _blocks = new Lazy<Decoder>(() => DecoderReader.Read(source, decoder, embedding, new QuantizedLinearGroups(backend)));
        try
        {
            _vision = DeviceVisionTower.Supports(vision) ? new DeviceVisionTower(backend.Device, backend.Gate, source, vision) : null;
            _audio = audio is not null && DeviceAudioTower.Supports(audio) ? new DeviceAudioTower(backend.Device, backend.Gate, source, audio) : null;
            Vision = _vision ?? (IVisionTower)new VisionTower(source, vision);
            Audio = _audio ?? (audio is null ? null : (IAudioTower)new AudioTower(source, audio));
            _decoder = DeviceDecoder.Supports(decoder) ? DeviceDecoder.Read(backend.Device, backend.Gate, source, decoder, embedding) : null;
            _ = _decoder is null ? _blocks.Value : null;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string DeviceName => _backend.Name;

    /// <inheritdoc/>
    /// <remarks>More rows than these are summed in another order, layers on their own included.</remarks>
    public int MaxSequences => _decoder?.MaxSequences ?? GemmKernels.DecodeTokens;

    /// <inheritdoc/>
    public IVisionTower Vision { get; }

    /// <inheritdoc/>
    public IAudioTower? Audio { get; }

    /// <inheritdoc/>
    public Decoder Decoder => _blocks.Value;

    /// <inheritdoc/>
    public IDecoderSession NewSession(int sequences)
        => _decoder is null ? new DecoderSession(Decoder, _content.PrefillTokens) : new DeviceSession(_decoder, _content.PrefillTokens, sequences);

    /// <summary>Frees the device's memory, and the device where the backend owns it.</summary>
    public void Dispose()
    {
        _decoder?.Dispose();
        _vision?.Dispose();
        _audio?.Dispose();
        _backend.Dispose();
    }
}
