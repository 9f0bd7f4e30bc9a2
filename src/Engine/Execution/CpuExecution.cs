using MASQuant.Engine.Audio;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Vision;

namespace MASQuant.Engine.Execution;

/// <summary>Computes a model on the processor.</summary>
public sealed class CpuExecution : IModelExecution
{
    private readonly int _prefillTokens;
    private readonly KeyValueFormat _keyValues;

    /// <summary>Reads a model.</summary>
    /// <param name="content">Its source must outlive this.</param>
    /// <param name="backend">Executes quantized layers; null: the kernels that suit the processor.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public CpuExecution(ModelContent content, IGemmBackend? backend = null)
    {
        var (source, config, embedding, prefillTokens) = content;
        (_prefillTokens, _keyValues) = (prefillTokens, content.KeyValues);
        Vision = new VisionTower(source, config.VisionTower());
        Audio = config.AudioTower() is { } audio ? new AudioTower(source, audio) : null;
        backend ??= new CpuGemmBackend();
        Decoder = DecoderReader.Read(source, config.Decoder(), embedding, new QuantizedLinearGroups(backend), backend);
    }

    /// <inheritdoc/>
    public string DeviceName => DeviceChoice.Processor;

    /// <inheritdoc/>
    public int MaxSequences => int.MaxValue;

    /// <inheritdoc/>
    public IVisionTower Vision { get; }

    /// <inheritdoc/>
    public IAudioTower? Audio { get; }

    /// <inheritdoc/>
    public Decoder Decoder { get; }

    /// <inheritdoc/>
    public IDecoderSession NewSession(int sequences) => new DecoderSession(Decoder, _prefillTokens, _keyValues);

    /// <summary>Its memory is the host's.</summary>
    public void Dispose()
    {
    }
}
