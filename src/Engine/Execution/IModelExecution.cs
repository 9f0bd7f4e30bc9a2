using MASQuant.Engine.Audio;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;
using MASQuant.Engine.Vision;

namespace MASQuant.Engine.Execution;

/// <summary>What computes a model: the processor, or a device that a package brings. Threads may share it; each generation has a session of its own.</summary>
public interface IModelExecution : IDisposable
{
    /// <summary>Where it computes, in the words of <see cref="ModelOptions.Device"/>.</summary>
    string DeviceName { get; }

    /// <summary>The most sequences of a step for which each answer stays that of its prompt alone.</summary>
    int MaxSequences { get; }

    /// <summary>Encodes images and video frames.</summary>
    IVisionTower Vision { get; }

    /// <summary>Encodes audio; null for a model that does not hear.</summary>
    IAudioTower? Audio { get; }

    /// <summary>The decoder, to be run block by block; read when first asked for.</summary>
    Decoder Decoder { get; }

    /// <summary>Begins a session without sequences.</summary>
    /// <param name="sequences">The most sequences that it will hold, up to <see cref="MaxSequences"/>.</param>
    IDecoderSession NewSession(int sequences);
}
