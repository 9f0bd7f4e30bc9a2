namespace MASQuant;

/// <summary>Reads sound of a format that models do not read themselves (<see cref="ModelOptions.AudioDecoders"/>). Threads share it.</summary>
/// <remarks>Files are a stranger's. Whatever a decoder throws for one becomes MASQ0312 with its message; that memory is short comes through.</remarks>
public interface IAudioDecoder
{
    /// <summary>Whether this file is for it, by its first bytes alone. WAV is never asked for.</summary>
    /// <param name="file">The file's bytes, which may be few.</param>
    bool Recognizes(ReadOnlySpan<byte> file);

    /// <summary>Begins to read a file. What it holds of the clip at a time is to be a piece: the model counts what it takes, and stops at its limits.</summary>
    /// <param name="file">The file's bytes.</param>
    IAudioReader Open(ReadOnlyMemory<byte> file);
}

/// <summary>A clip that is read piece by piece, by one thread.</summary>
public interface IAudioReader : IDisposable
{
    /// <summary>Frames a second, Hz.</summary>
    int SamplingRate { get; }

    /// <summary>Samples a frame. The model hears the mean of them.</summary>
    int Channels { get; }

    /// <summary>Reads on.</summary>
    /// <param name="samples">Takes whole frames, channel after channel, −1 … 1; its length is a multiple of <see cref="Channels"/>.</param>
    /// <returns>How many samples were written; 0 at the clip's end.</returns>
    int Read(Span<float> samples);
}
