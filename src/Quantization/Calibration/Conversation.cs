namespace MASQuant.Quantization.Calibration;

/// <summary>One line of a conversation file.</summary>
/// <param name="Line">Its number, from 1.</param>
/// <param name="Task">What the sample measures (<c>asr</c>, <c>ocr</c>, …), or the empty text.</param>
/// <param name="Messages">The conversation; media paths are absolute.</param>
public sealed record Conversation(int Line, string Task, IReadOnlyList<ChatMessage> Messages)
{
    /// <summary>Every media file, in the order in which it enters the prompt.</summary>
    public IEnumerable<MediaSource> Media => Messages.SelectMany(message => message.Content).SelectMany(part => part switch
    {
        ImagePart image => [image.Source],
        AudioPart audio => [audio.Source],
        VideoPart video => video.Frames,
        _ => (IEnumerable<MediaSource>)[],
    });

    /// <summary>Whether the prompt holds a modality.</summary>
    public bool Has(Modality modality) => Messages.SelectMany(message => message.Content).Any(part => modality switch
    {
        Modality.Vision => part is ImagePart or VideoPart,
        Modality.Audio => part is AudioPart,
        _ => part is TextPart,
    });
}
