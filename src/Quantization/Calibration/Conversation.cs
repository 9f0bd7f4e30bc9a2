using MASQuant.Diagnostics;

namespace MASQuant.Quantization.Calibration;

/// <summary>One line of a conversation file.</summary>
/// <param name="Line">Its number, from 1.</param>
/// <param name="Task">What the sample measures (<c>asr</c>, <c>ocr</c>, …), or the empty text.</param>
/// <param name="Messages">The conversation; media paths are absolute.</param>
public sealed record Conversation(int Line, string Task, IReadOnlyList<ChatMessage> Messages)
{
    /// <summary>The file.</summary>
    public string? File { get; init; }

    /// <summary>Runs what concerns this conversation alone; an error that is of no file, or of the conversation's length, gets the conversation's place.</summary>
    /// <exception cref="MASQuantException">That of <paramref name="run"/>.</exception>
    public T Placed<T>(Func<T> run)
    {
        try
        {
            return run();
        }
        catch (MASQuantException error) when (File is not null && (error.File is null || error.Code == DiagnosticCodes.SequenceTooLong))
        {
            throw new MASQuantException(error.Code, File, error.File is null ? error.Description : $"{error.File}: {error.Description}", error) { Line = Line };
        }
    }

    /// <summary>Every media file, in the order in which it enters the prompt.</summary>
    public IEnumerable<MediaSource> Media => Messages.SelectMany(message => message.Content).SelectMany(part => part switch
    {
        ImagePart image => [image.Source],
        AudioPart audio => [audio.Source],
        VideoPart video => video.Sound is { } sound ? [.. video.Frames, sound] : video.Frames,
        _ => (IEnumerable<MediaSource>)[],
    });

    /// <summary>Whether the prompt holds a modality.</summary>
    public bool Has(Modality modality) => Messages.SelectMany(message => message.Content).Any(part => modality switch
    {
        Modality.Vision => part is ImagePart or VideoPart,
        Modality.Audio => part is AudioPart or VideoPart { Sound: not null },
        _ => part is TextPart,
    });
}
