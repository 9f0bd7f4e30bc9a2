using MASQuant.Engine.Audio;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;
using MASQuant.Engine.Vision;

namespace MASQuant.Engine.Tests.Execution;

/// <summary>The processor under a device's name.</summary>
internal sealed class NamedExecution(CpuExecution inner, string name) : IModelExecution
{
    public string DeviceName => name;

    public int MaxSequences => inner.MaxSequences;

    public IVisionTower Vision => inner.Vision;

    public IAudioTower? Audio => inner.Audio;

    public Decoder Decoder => inner.Decoder;

    public IDecoderSession NewSession(int sequences) => inner.NewSession(sequences);

    public void Dispose() => inner.Dispose();
}
